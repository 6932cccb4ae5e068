import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/log.ts'
import type { Service } from '../../core/service.ts'
import type { HttpRoute } from '../../protocols/http-route.ts'
import type { RegistryStore } from '../store.ts'
import { createIncarnations } from './face-leases.ts'
import type { FaceRoom } from './face-room.ts'
import { createGate } from './gate.ts'
import { headerFace } from './header-face.ts'
import { labJsonFace } from './lab-json-face.ts'
import { labProtobufFace } from './lab-protobuf-face.ts'
import { type FacesOptions, resolveFacesOptions } from './options.ts'
import { createServiceNames } from './service-names.ts'

export interface RegistryFacesRoom {
  readonly store: RegistryStore
  readonly clock: Clock
  readonly logger: Logger
  /** Makes a check of whether a host is in one of the ranges; throws `invalid_argument` for what is no range. */
  readonly createAllowList: (ranges: readonly string[]) => (host: string) => boolean
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: () => number
}

/** What a server offers beside `farcall.registry` so that the peers of the older systems have a registry in it, too. */
export interface RegistryFaces {
  readonly routes: readonly HttpRoute[]
  readonly services: readonly Service[]
}

/**
 * Makes the faces of a registry: what is registered through one of them, or by Farcall's own protocol, is found through
 * all, under the protocols that it speaks.
 * @throws RpcError `invalid_argument` for an option that makes no sense.
 */
export function createRegistryFaces(room: RegistryFacesRoom, given: FacesOptions = {}): RegistryFaces {
  const { json, header, protobuf, allow, services } = resolveFacesOptions(given)
  const { store, clock, logger, createAllowList, wallClock = Date.now } = room
  const faceRoom: FaceRoom = {
    store,
    gate: createGate({ clock, logger, allow, isAllowed: createAllowList(allow) }),
    nextIncarnation: createIncarnations(wallClock),
    serviceNames: createServiceNames(services),
  }
  return {
    routes: [
      ...(json === undefined ? [] : [labJsonFace(faceRoom, json)]),
      ...(header === undefined ? [] : [headerFace(faceRoom, header)]),
    ],
    services: protobuf === undefined ? [] : [labProtobufFace(faceRoom, protobuf)],
  }
}
