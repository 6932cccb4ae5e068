import { type Address, formatAddress, formatHostPort } from '../core/endpoint.ts'
import { tlsTrouble } from './tls-trouble.ts'
import { type Phase, markNotExecuted, RpcError } from '../core/error.ts'

/** The system's name of what happened (`ECONNRESET`), of an error or of the first inside an AggregateError. */
export function systemCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return ''
  const { code, errors } = thrown as { code?: unknown; errors?: unknown }
  if (typeof code === 'string') return code
  return Array.isArray(errors) && errors.length > 0 ? systemCode(errors[0]) : ''
}

/** Why dialling failed, in plain words. Nothing has been executed. */
export function connectError(to: Address, thrown: unknown): RpcError {
  const message = `${whyNot(to, systemCode(thrown), thrown)}`
  return markNotExecuted(new RpcError('unavailable', message, { cause: thrown, phase: 'connect' }))
}

function whyNot(to: Address, code: string, thrown: unknown): string {
  const address = formatAddress(to)
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `nothing listens at ${address} (${code})`
    case 'ENOTFOUND':
      return `${address} is not known: there is no such host name (${code})`
    case 'EAI_AGAIN':
      return `${address} could not be looked up: the name server does not answer (${code})`
    case 'ETIMEDOUT':
      return `no answer from ${address} (${code})`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return `there is no way from here to ${address} (${code})`
    case 'EMFILE':
    case 'ENFILE':
      return `could not connect to ${address}: too many open files (${code}); raise the limit with ulimit -n`
    default:
      return `could not connect to ${address}: ${messageOf(thrown)}`
  }
}

/** What broke an open connection off. */
export function brokenError(peer: string, phase: Phase, thrown: unknown): RpcError {
  return new RpcError('unavailable', `${whatBroke(peer, systemCode(thrown), thrown)}`, {
    cause: thrown,
    phase,
  })
}

function whatBroke(peer: string, code: string, thrown: unknown): string {
  switch (code) {
    case 'ECONNRESET':
      return `${peer} reset the connection (${code})`
    case 'EPIPE':
    case 'ECONNABORTED':
    case 'ERR_STREAM_WRITE_AFTER_END':
    case 'ERR_STREAM_DESTROYED':
      return `${peer} has closed the connection and takes nothing more (${code})`
    case 'ETIMEDOUT':
      return `${peer} no longer answers (${code})`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return `${peer} can no longer be reached (${code})`
    default:
      return `the connection with ${peer} broke off: ${tlsTrouble(thrown) ?? messageOf(thrown)}`
  }
}

/** Why it cannot listen there, and what to do. */
export function listenError(at: Address, thrown: unknown): RpcError {
  const options = { cause: thrown }
  const code = systemCode(thrown)
  const where =
    at.transport === 'tcp' || at.transport === 'tls' ? `port ${at.port} on ${at.host}` : formatAddress(at)
  switch (code) {
    case 'EADDRINUSE':
      return new RpcError(
        'already_exists',
        `${where} is in use; choose another${isPort(at) ? ', or port 0 for any free one' : ''}`,
        options,
      )
    case 'EACCES':
    case 'EPERM': {
      const hint =
        isPort(at) && at.port < 1024
          ? 'ports below 1024 are for privileged users, choose a higher one'
          : 'choose another'
      return new RpcError('permission_denied', `${where} is not allowed to this user; ${hint}`, options)
    }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new RpcError(
        'invalid_argument',
        `${hostOf(at)} is no address of this machine; listen on 127.0.0.1 for this machine only, on 0.0.0.0 or :: for all`,
        options,
      )
    case 'ENOENT':
      return new RpcError('not_found', `${where}: the folder does not exist; make it first`, options)
    default:
      return new RpcError('unavailable', `cannot listen at ${where}: ${messageOf(thrown)}`, options)
  }
}

function isPort(at: Address): at is Extract<Address, { port: number }> {
  return at.transport === 'tcp' || at.transport === 'tls'
}

function hostOf(at: Address): string {
  return isPort(at) ? at.host : formatAddress(at)
}

function messageOf(thrown: unknown): string {
  return RpcError.from(thrown).message || systemCode(thrown) || 'for a reason that the system does not tell'
}

/** An address of the system as people write it: IPv4 within IPv6 is shown as IPv4. */
export function shownAddress(host: string, port: number): string {
  return formatHostPort(host.replace(/^::ffff:(?=\d+\.)/i, ''), port)
}
