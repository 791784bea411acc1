import type { Access } from '../../session/requirement.ts';
import type { RouteMatch } from '../routes/route-table.ts';
import type { Operation } from './operation.ts';

/** What decides who may call an operation that stands in no document, and with which token. */
export interface BareOperation {
  readonly name: string;
  /** Default: the name. */
  readonly path?: string;
  readonly access: Access;
  readonly authContext?: string | undefined;
  /** The name of the downstream; absent where none is called. */
  readonly service?: string;
}

/** Makes the way to an operation that stands in no document: nothing of its requests is checked but who makes them. */
export function routeBareOperation({
  name,
  path = name,
  access,
  authContext,
  service = '',
}: BareOperation): RouteMatch<Operation> {
  const entry: Operation = {
    name,
    document: -1,
    access,
    ...(authContext !== undefined && { authContext }),
    parameters: [],
    method: 'GET',
    path,
    matrix: new Set(),
    service,
    downstreamMethod: 'GET',
    downstreamPath: '',
    fillPath: () => '',
  };
  return { entry, values: {}, encoded: {} };
}
