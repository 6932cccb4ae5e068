import type { ErrorCode } from '../core/code.ts'
import type { RpcError } from '../core/error.ts'
import type { AnyFunction, ErrorDeclaration, MethodDefinition } from '../core/method.ts'
import type { MethodInfo } from '../core/method-info.ts'
import type { Schema } from '../core/schema.ts'
import type { Service } from '../core/service.ts'
import type { Stream } from '../core/stream.ts'

/** What one call may ask for, beside its arguments. */
export interface CallOptions {
  /** How long the whole call may take; for a stream, to its end. Default: 10 s for a reply or a stream's first item. */
  readonly timeoutMs?: number
  /** How long a stream may be silent between two items. Default: for ever. */
  readonly idleTimeoutMs?: number
  /** Aborting it cancels the call. */
  readonly signal?: AbortSignal
  /** Text pairs for the callee. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Calls with the same key go to the same instance, where the balancer goes by it. */
  readonly key?: string
  /** Whether repeating the call does no harm. Default: what the service says of the method. */
  readonly idempotent?: boolean
  /** The id of the only instance that may answer. */
  readonly instance?: string
}

/** A broadcast's options, beside those of each of its calls. */
export interface BroadcastOptions extends CallOptions {
  /**
   * `all` (default) gives what each instance answered; `first` the first success, or else the first error, and cancels
   * the others. Either way it settles when all have.
   */
  readonly result?: 'all' | 'first'
}

/** What one instance answered to a broadcast. */
export type BroadcastResult<T> =
  | { readonly endpoint: string; readonly value: T; readonly error?: undefined }
  | { readonly endpoint: string; readonly error: RpcError; readonly value?: undefined }

/** What a method that answers with a stream gives: await it for the stream, or iterate over it at once. */
export type StreamCall<T> = Promise<Stream<T>> & AsyncIterable<T, void, undefined>

/** What a call gives for what its function returns. */
export type CallResult<R> = [Awaited<R>] extends [AsyncIterable<infer Item>]
  ? // Only any and never come here too without being streams.
    0 extends 1 & R
    ? Promise<R>
    : [R] extends [never]
      ? Promise<never>
      : StreamCall<Item>
  : Promise<Awaited<R>>

/** What a value of a stream comes to outside of a loop. */
type CallValue<R> = Awaited<CallResult<R>>

type FunctionOf<Member> =
  Member extends MethodDefinition<infer Fn, infer _Params, infer _Errors> ? Fn : Member

/**
 * The client of a service: for each of its functions one with the same parameters and the awaited result. `S` is
 * `typeof` a service, or an interface of functions written by hand.
 */
export type Client<S> = MethodsOf<MembersOf<S>> & ClientViews<S>

/** The members of a service, or of an interface that stands for one. */
export type MembersOf<S> = S extends Service<string, infer Members> ? Members : S

// Mapped over the members themselves, so that an editor goes from a client's method to the function.
type MethodsOf<Members> = { readonly [Name in keyof Members]: ClientMethod<FunctionOf<Members[Name]>> }

/** A client's method. A function that gives a promise of a value is its own client's: so type parameters survive. */
export type ClientMethod<Fn> = Fn extends (...args: never[]) => Promise<infer Value>
  ? [Value] extends [AsyncIterable<unknown>]
    ? MappedMethod<Fn>
    : Fn extends (...args: never[]) => 'any or never'
      ? MappedMethod<Fn>
      : Fn
  : MappedMethod<Fn>

type MappedMethod<Fn> = Fn extends (...args: infer Args) => infer R ? (...args: Args) => CallResult<R> : never

/** The other ways to call. Their names begin with `$`, which no method's does. */
export interface ClientViews<S> {
  /** The same client with other options; those that are not given stay as they were. */
  $with(options: CallOptions): Client<S>
  /** Arguments by name: `$named.add({ a: 1, b: 2 })`. */
  readonly $named: NamedClient<S>
  /** Calls every instance. */
  $broadcast(options?: BroadcastOptions & { readonly result?: 'all' }): BroadcastClient<S>
  $broadcast(options: BroadcastOptions & { readonly result: 'first' }): FirstClient<S>
  /** One-way: settles when the connection has taken the call. Whether it was carried out is never known. */
  readonly $send: SendClient<S>
  /** Errors as values: declared ones narrow on their `reason`. It never rejects. */
  readonly $try: TryClient<S>
}

export type NamedClient<S> = NamedMethods<MembersOf<S>>
export type BroadcastClient<S> = BroadcastMethods<MembersOf<S>>
export type FirstClient<S> = FirstMethods<MembersOf<S>>
export type SendClient<S> = SendMethods<MembersOf<S>>
export type TryClient<S> = TryMethods<MembersOf<S>>

type NamedMethods<Members> = { readonly [Name in keyof Members]: NamedMethod<Members[Name]> }
type BroadcastMethods<Members> = {
  readonly [Name in keyof Members]: BroadcastMethod<FunctionOf<Members[Name]>>
}
type FirstMethods<Members> = { readonly [Name in keyof Members]: FirstMethod<FunctionOf<Members[Name]>> }
type SendMethods<Members> = { readonly [Name in keyof Members]: SendMethod<FunctionOf<Members[Name]>> }
type TryMethods<Members> = { readonly [Name in keyof Members]: TryMethod<Members[Name]> }

type BroadcastMethod<Fn> = Fn extends (...args: infer Args) => infer R
  ? (...args: Args) => Promise<BroadcastResult<CallValue<R>>[]>
  : never
type FirstMethod<Fn> = Fn extends (...args: infer Args) => infer R
  ? (...args: Args) => Promise<CallValue<R>>
  : never
type SendMethod<Fn> = Fn extends (...args: infer Args) => unknown ? (...args: Args) => Promise<void> : never

type TryMethod<Member> =
  FunctionOf<Member> extends (...args: infer Args) => infer R
    ? (...args: Args) => Promise<TryResult<CallValue<R>, ErrorsOf<Member>>>
    : never

type ErrorsOf<Member> =
  Member extends MethodDefinition<AnyFunction, infer _Params, infer Errors> ? Errors : unknown

/** What `$try` gives. */
export type TryResult<T, Errors = unknown> =
  | { readonly ok: true; readonly value: T; readonly error?: undefined }
  | { readonly ok: false; readonly error: TypedError<Errors>; readonly value?: undefined }

/**
 * The errors of a call: the declared ones, told apart by their `reason`, and any other. Where some are declared the
 * others are typed as having no reason; a reason that nobody declared ends in the same branch.
 */
export type TypedError<Errors> = [keyof Errors] extends [never]
  ? RpcError
  : DeclaredError<Errors> | (RpcError & { readonly reason: undefined })

type DeclaredError<Errors> = {
  [Reason in keyof Errors & string]: RpcError & {
    readonly reason: Reason
    readonly code: CodeOf<Errors[Reason]>
    readonly details: DetailsOf<Errors[Reason]>
  }
}[keyof Errors & string]

type CodeOf<Declaration> = Declaration extends { readonly code: infer Code extends ErrorCode }
  ? Code
  : ErrorCode
type DetailsOf<Declaration> = Declaration extends ErrorDeclaration & {
  readonly details: Schema<unknown, infer Details>
}
  ? Details
  : undefined

type NamedMethod<Member> =
  FunctionOf<Member> extends (...args: infer Args) => infer R
    ? Args extends readonly []
      ? (args?: NoArguments) => CallResult<R>
      : (args: NamedArguments<Args, ParamsOf<Member>>) => CallResult<R>
    : never

type NoArguments = Readonly<Record<string, never>>

type ParamsOf<Member> =
  Member extends MethodDefinition<AnyFunction, infer Params, infer _Errors> ? Params : readonly string[]

/** An object of arguments: typed where the names were declared (`method({ params: ['a', 'b'] })`). */
export type NamedArguments<
  Args extends readonly unknown[],
  Params extends readonly string[],
> = number extends Params['length']
  ? Readonly<Record<string, unknown>>
  : Flat<
      { readonly [At in RequiredAt<Args, Params> as ParamName<Params, At>]: ArgumentAt<Args, At> } & {
        readonly [At in OptionalAt<Args, Params> as ParamName<Params, At>]?: ArgumentAt<Args, At>
      }
    >

type Flat<T> = { [Key in keyof T]: T[Key] }
// The positions of a tuple are its keys that are numbers in text: '0', '1', …
type Positions<Params extends readonly string[]> = keyof Params & `${number}`
type ParamName<Params extends readonly string[], At> = At extends keyof Params
  ? Params[At] extends `${infer Name}?`
    ? Name
    : Params[At] & string
  : never
type ArgumentAt<Args, At> = At extends keyof Args ? Args[At] : unknown
type RequiredAt<Args, Params extends readonly string[]> = {
  [At in Positions<Params>]: IsOptional<Args, At> extends true ? never : At
}[Positions<Params>]
type OptionalAt<Args, Params extends readonly string[]> = Exclude<Positions<Params>, RequiredAt<Args, Params>>
// Picking a position of a tuple keeps whether it is optional.
type IsOptional<Args, At> = At extends keyof Args
  ? Record<never, never> extends Pick<Args, At>
    ? true
    : false
  : true

/**
 * The name that a client must use for a service: its own, where that is known to the compiler, or none for methods that
 * are called by their names alone.
 */
export type ServiceName<S> = S extends Service<infer Name> ? Name | '' : string

/** A service of which nothing is known: any method, any arguments. */
export interface UntypedService {
  readonly [method: string]: (...args: unknown[]) => Promise<unknown>
}

/** What is known of the methods of a service that cannot say it itself, or a service value that knows it. */
export type Contract = Service | Readonly<Record<string, Partial<MethodInfo>>>

/** Options of {@link ServiceClient.service}. */
export interface ServiceOptions {
  /** Needed where the codec has types (gob, protobuf); elsewhere it spares asking the server. */
  readonly contract?: Contract
  /** Only instances that offer this version. Default: any. */
  readonly version?: string
}

/** Where clients of services come from. */
export interface ServiceClient {
  /**
   * The client of a service: `client.service<typeof math>('math')`. Making one costs nothing and asks nobody. With `''`
   * for its name methods are called by theirs alone, as the older systems in Python do.
   * @throws RpcError `invalid_argument` for a name that no service can have.
   */
  service<S = UntypedService>(name: ServiceName<S>, options?: ServiceOptions): Client<S>
}
