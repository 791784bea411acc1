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
      const { scopes, applicationScope, agent } = settings;
      return [
        name,
        {
          settings,
          scopes: { name, scopes, applicationScope, agent, key: nameTokens(name, scopes, agent) },
          downstream: open(name, settings, before.get(name)),
        },
      ];
    }),
  );

  function open(
    name: string,
    { baseUrl, ...settings }: DownstreamConfig,
    known: OpenDownstream | undefined,
  ): Downstream | undefined {
    if (baseUrl === undefined) {
      return undefined;
    }
    const place = { ...settings, baseUrl };
    if (known?.downstream === undefined) {
      return new Downstream(name, place, monotonicMs);
    }
    const { downstream, settings: old } = known;
    if (isDeepStrictEqual(connectionOf(old), connectionOf(place))) {
      return downstream;
    }
    const isSamePlace = isDeepStrictEqual(placeOf(old), placeOf(place));
    const { circuit } = downstream;
    return new Downstream(name, place, monotonicMs, isSamePlace ? circuit : circuit.renew());
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

/** Lists those that the gateway itself calls. */
export function reachable(downstreams: Downstreams): readonly Downstream[] {
  return [...downstreams.values()].flatMap(({ downstream }) => downstream ?? []);
}

/** Counts which downstreams are in use, because requests of an earlier configuration may still be under way. */
export class DownstreamUse {
  readonly #users = new Map<Downstream, number>();

  /** Notes that a configuration uses these. */
  begin(downstreams: Downstreams): void {
    for (const downstream of reachable(downstreams)) {
      this.#users.set(downstream, (this.#users.get(downstream) ?? 0) + 1);
    }
  }

  /** Notes that a configuration uses these no more; one that no other uses ends its connections. */
  end(downstreams: Downstreams): void {
    for (const downstream of reachable(downstreams)) {
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
