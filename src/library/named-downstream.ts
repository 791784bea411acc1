import { findNearest } from '../syntax/edit-distance.ts';
import { OboUsageError } from './usage-error.ts';

/** A downstream of the configuration, as calls find it. */
export interface DownstreamAddress {
  readonly name: string;
  /** Without a slash at the end; absent where the configuration does not say it. */
  readonly baseUrl: string | undefined;
}

/** @throws {OboUsageError} for a name that the configuration does not have */
export function findDownstream(name: string, downstreams: ReadonlyMap<string, DownstreamAddress>): DownstreamAddress {
  const found = downstreams.get(name);
  if (found !== undefined) {
    return found;
  }
  const known = [...downstreams.keys()];
  if (typeof name !== 'string') {
    throw new OboUsageError(
      `obo.downstream(req, name) takes the request and the name of a downstream (${known.join(', ')}).`,
    );
  }
  const nearest = findNearest(name, known)?.word;
  throw new OboUsageError(
    `The configuration has no downstream ${JSON.stringify(name)}` +
      (nearest === undefined
        ? '; write it in downstreams, with its baseUrl and its scopes.'
        : `; did you mean ${JSON.stringify(nearest)}? It has ${known.join(', ')}.`),
  );
}
