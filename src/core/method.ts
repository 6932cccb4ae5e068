import type { ErrorCode } from './code.ts'
import type { MethodInfo } from './method-info.ts'
import type { Parameter } from './params.ts'
import type { Schema } from './schema.ts'

/** Any function, as far as its author is concerned. */
// biome-ignore lint/suspicious/noExplicitAny: a parameter list that every function has, for inference only
export type AnyFunction = (...args: any) => unknown // oxlint-disable-line typescript/no-explicit-any

/** An error that a method may answer with on purpose. Its name is the `reason` of the RpcError. */
export interface ErrorDeclaration {
  readonly code: ErrorCode
  /** What its details look like. */
  readonly details?: Schema
}

export type ErrorDeclarations = Readonly<Record<string, ErrorDeclaration>>

/** No error is declared. */
export type NoErrors = Readonly<Record<never, ErrorDeclaration>>

/** One schema for each parameter; undefined for one that is not checked. */
type InputSchemas<Args extends readonly unknown[]> = {
  readonly [Index in keyof Args]?: Schema<unknown, StreamItem<Args[Index]>> | undefined
}

/** What a schema sees of a value: the value, or each item of a stream. */
type StreamItem<Value> = [NonNullable<Value>] extends [AsyncIterable<infer Item>] ? Item : Value

/** What a function cannot say by itself. */
export interface MethodOptions<
  Fn extends AnyFunction = AnyFunction,
  Params extends readonly string[] = readonly string[],
  Errors extends ErrorDeclarations = ErrorDeclarations,
> {
  /**
   * The names of the parameters, in order; `'b?'` for one that may be left out (TypeScript's `b?: T` leaves no trace
   * in what runs). Default: read from the function's source, where the optional ones are those with a default.
   */
  readonly params?: Params
  /** Checks each argument; of a stream, each item. The function gets what the schema makes of it. */
  readonly input?: InputSchemas<Parameters<Fn>>
  /** Checks the result; of a stream, each item. */
  readonly output?: Schema<unknown, StreamItem<Awaited<ReturnType<Fn>>>>
  /** The errors it may answer with on purpose, by their `reason`. */
  readonly errors?: Errors
  /** Whether calling it twice does no harm, so that a failed call may be repeated. Default false. */
  readonly idempotent?: boolean
  /** The longest it may take, in milliseconds, whatever the caller allows. Default: as the caller allows. */
  readonly timeoutMs?: number
  /** False promises that it never asks for `currentCall()`, which saves a fraction of a microsecond. Default true. */
  readonly context?: boolean
  /** Which way it streams, where that cannot be seen: an async generator is seen to answer with a stream. */
  readonly streams?: 'input' | 'output' | 'both'
  /** What a codec with types needs to know of its values: for gob `{ args, reply }`. Its shape is that codec's affair. */
  readonly types?: unknown
  /** What it does, for people: a sentence. */
  readonly doc?: string
}

const brand: unique symbol = Symbol.for('farcall.MethodDefinition')

/** A function with what it cannot say by itself, to be a member of a service. */
export interface MethodDefinition<
  Fn extends AnyFunction = AnyFunction,
  Params extends readonly string[] = readonly string[],
  Errors = ErrorDeclarations,
> {
  readonly [brand]: true
  readonly fn: Fn
  readonly params: Params | undefined
  readonly errors: Errors | undefined
  readonly options: MethodOptions
}

/**
 * Adds to a function what it cannot say by itself. What is wrong with the options is said by `service()`, which knows
 * the method's name.
 */
export function method<
  Fn extends AnyFunction,
  const Params extends readonly string[] = readonly string[],
  const Errors extends ErrorDeclarations = NoErrors,
>(options: MethodOptions<Fn, Params, Errors>, fn: Fn): MethodDefinition<Fn, Params, Errors> {
  const { params, errors } = options
  return Object.freeze({ [brand]: true, fn, params, errors, options: options as MethodOptions } as const)
}

/** Whether a value was made by `method()`, also by that of another copy of the package. */
export function isMethodDefinition(value: unknown): value is MethodDefinition {
  return typeof value === 'object' && value !== null && brand in value
}

/** A method as a server runs it: all that is to be known of it, found out once, when its service is defined. */
export interface Method {
  readonly name: string
  /** `math.add`, for messages. */
  readonly fullName: string
  /** Of the service, for messages. */
  readonly version: string | undefined
  /** What is called; `this` is bound. */
  readonly fn: (...args: unknown[]) => unknown
  readonly info: MethodInfo
  /** Undefined where nothing is known of them. */
  readonly parameters: readonly Parameter[] | undefined
  /** Where each name stands; undefined where names are not known, so that arguments cannot be given by name. */
  readonly indexes: ReadonlyMap<string, number> | undefined
  /** How many arguments there must be at least. One that has a schema may be missing if the schema says so. */
  readonly minimum: number
  /** How many there may be; Infinity for a rest parameter, or where nothing is known. */
  readonly maximum: number
  /** One for each parameter, where there are any; the last also counts for all that a rest parameter takes. */
  readonly input: readonly (Schema | undefined)[] | undefined
  readonly output: Schema | undefined
  readonly errors: ReadonlyMap<string, ErrorDeclaration> | undefined
  readonly timeoutMs: number | undefined
  readonly context: boolean
  readonly doc: string | undefined
}
