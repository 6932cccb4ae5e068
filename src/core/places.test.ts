import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { placesOf, showPlaces } from './places.ts'

describe('the places of an instance', () => {
  it('are its addresses, each with all that is spoken there', () => {
    const endpoints = ['tcp://a:1', 'http+tcp://a:1', 'unix:/x', 'lab-json+tcp://a:1', 'http+tcp://a:1']
    assert.deepEqual(placesOf(endpoints), [
      { address: 'tcp://a:1', protocols: ['farcall', 'http', 'lab-json'], best: 'tcp://a:1' },
      { address: 'unix:/x', protocols: ['farcall'], best: 'unix:/x' },
    ])
    assert.equal(showPlaces(endpoints), 'tcp://a:1, unix:/x')
  })

  it('name the protocol where ours is not the first', () => {
    assert.equal(showPlaces(['geerpc+tcp://a:1', 'net-rpc+tcp://a:1']), 'geerpc+tcp://a:1')
  })

  it('keep what is written otherwise as it is', () => {
    assert.deepEqual(
      placesOf(['somewhere', '']).map(({ address }) => address),
      ['somewhere', ''],
    )
    assert.deepEqual(placesOf([]), [])
  })
})
