import { RpcError } from '../core/error.ts'
import type { MethodInfo } from '../core/method-info.ts'
import { checkInternalName, checkServiceName, isInternalName } from '../core/names.ts'
import type { Service } from '../core/service.ts'
import type { KnownMethods } from './known-methods.ts'
import type { Contract } from './types.ts'

const least: MethodInfo = Object.freeze({ idempotent: false, input: 'values', output: 'value' })

/**
 * Checks the name of a service that is to be called. The empty one is for peers whose methods have no service.
 * @throws RpcError `invalid_argument` for a name that no service can have.
 */
export function checkCalledName(name: string): void {
  if (typeof name !== 'string')
    throw new RpcError('invalid_argument', 'the name of a service must be a string')
  if (name === '') return
  if (isInternalName(name)) checkInternalName(name)
  else checkServiceName(name)
}

/** Takes in what a contract says of the methods of a service. */
export function declareContract(service: string, contract: Contract, methods: KnownMethods): void {
  if (isService(contract)) {
    for (const [name, { info }] of contract.methods) methods.declare(service, name, info)
    return
  }
  for (const [name, info] of Object.entries(contract)) methods.declare(service, name, { ...least, ...info })
}

function isService(contract: Contract): contract is Service {
  return (contract as Partial<Service>).methods instanceof Map
}
