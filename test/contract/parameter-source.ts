import { compileParameter } from '../../src/contract/checks/parameters.ts';
import { readQuery } from '../../src/contract/checks/parameters/query.ts';
import type { ParameterSource } from '../../src/contract/checks/parameters/source.ts';
import { SchemaCompiler } from '../../src/contract/schema/schemas.ts';
import type { RequestFault } from '../../src/failures.ts';
import type { Node } from './documents.ts';

/** What a request says. */
export interface Sent {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** As it is sent, encoded. */
  readonly path?: Readonly<Record<string, string>>;
}

/** A request as the checks of parameters read it. */
export function sourceOf({ query = '', headers = {}, path = {} }: Sent): ParameterSource {
  const decoded = Object.entries(path).map(([name, text]) => [name, decodeURIComponent(text)]);
  return {
    path: Object.fromEntries(decoded) as Record<string, string>,
    encodedPath: path,
    search: query,
    query: readQuery(query),
    headers,
  };
}

/** What is wrong with a request to an operation that declares these parameters. */
export function checkParameters(parameters: readonly Node[], sent: Sent): readonly RequestFault[] {
  const root = { parameters };
  const schemas = new SchemaCompiler(root);
  const inQuery = new Set(parameters.filter((one) => one['in'] === 'query').map(({ name }) => String(name)));
  const source = sourceOf(sent);
  return parameters.flatMap((value, index) => {
    const check = compileParameter(root, { value, pointer: `/parameters/${index}` }, schemas, inQuery);
    return check?.(source) ?? [];
  });
}
