import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfig } from '../config/load-config.ts';
import { Downstream } from '../forward/downstream.ts';
import type { Clock } from '../resilience/clock.ts';
import { nameTokens } from '../session/token-source.ts';
import type { DownstreamBinding } from '../steps.ts';

type DownstreamConfig = GatewayConfig['downstreams'][string];

/** A downstream, and what gateway.yaml says of it. */
export interface OpenDownstream extends DownstreamBinding {
  readonly settings: DownstreamConfig;
}

/** The downstreams of one configuration by name. */
export type Downstreams = ReadonlyMap<string, OpenDownstream>;

/**
 * Opens the downstreams of a configuration. One that is reached as before keeps its connections and its circuit; one
 * that is another API, or is reached in another way, begins anew.
 *
 * @param before those of the configuration that counted before; default none
 */
export function openDownstreams(
  { downstreams }: Pick<GatewayConfig, 'downstreams'>,
  monotonicMs: Clock,
  before: Downstreams = new Map(),
): Downstreams {
  return new Map(
    Object.entries(downstreams).map(([name, settings]) => {
      const known = before.get(name);
      const { scopes, applicationScope } = settings;
      return [
        name,
        {
          settings,
          scopes: { name, scopes, applicationScope, key: nameTokens(name, scopes) },
          downstream: known === undefined ? new Downstream(name, settings, monotonicMs) : follow(known, settings),
        },
      ];
    }),
  );

  function follow({ downstream, settings: old }: OpenDownstream, settings: DownstreamConfig): Downstream {
    if (isDeepStrictEqual(connectionOf(old), connectionOf(settings))) {
      return downstream;
    }
    const isSamePlace = isDeepStrictEqual(placeOf(old), placeOf(settings));
    const { circuit, name } = downstream;
    return new Downstream(name, settings, monotonicMs, isSamePlace ? circuit : circuit.renew());
  }
}

/** What the connections to a downstream are made with. */
function connectionOf({ baseUrl, timeout, tls, connections, headLimit, proxy }: DownstreamConfig): object {
  return { baseUrl, timeout, tls, connections, headLimit, proxy };
}

/** Where calls to a downstream arrive, and by which way. */
function placeOf({ baseUrl, tls, proxy }: DownstreamConfig): object {
  return { baseUrl, tls, proxy };
}

/** Counts which downstreams are in use, because requests of an earlier configuration may still be under way. */
export class DownstreamUse {
  readonly #users = new Map<Downstream, number>();

  /** Notes that a configuration uses these. */
  begin(downstreams: Downstreams): void {
    for (const { downstream } of downstreams.values()) {
      this.#users.set(downstream, (this.#users.get(downstream) ?? 0) + 1);
    }
  }

  /** Notes that a configuration uses these no more; one that no other uses ends its connections. */
  end(downstreams: Downstreams): void {
    for (const { downstream } of downstreams.values()) {
      const left = (this.#users.get(downstream) ?? 0) - 1;
      if (left > 0) {
        this.#users.set(downstream, left);
      } else {
        this.#users.delete(downstream);
        void downstream.close();
      }
    }
  }

  /** Ends all connections at once. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#users.keys()].map((downstream) => downstream.destroy()));
  }
}
