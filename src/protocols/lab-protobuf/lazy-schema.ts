import { RpcError } from '../../core/error.ts'
import { type LabSchema, type LabSchemaOptions, loadLabSchema } from './schema.ts'

/** A schema that is made when it is first needed, and then is there at once. */
export class LazySchema {
  /** Once it is there. */
  value: LabSchema | undefined = undefined
  readonly #options: LabSchemaOptions
  #loading: Promise<LabSchema> | undefined = undefined

  constructor(options: LabSchemaOptions) {
    this.#options = options
  }

  /** @throws RpcError `invalid_argument` that says what is wrong with the `.proto`, each time. */
  load(): Promise<LabSchema> {
    this.#loading ??= loadLabSchema(this.#options).then((schema) => (this.value = schema))
    return this.#loading
  }

  /** Tells once it is there, or why it never will be; in a later turn. */
  whenLoaded(onLoaded: (schema: LabSchema) => void, onFailed: (problem: RpcError) => void): void {
    this.load().then(onLoaded, (thrown: unknown) => onFailed(RpcError.from(thrown)))
  }
}
