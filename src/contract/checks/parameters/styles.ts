import { readCookie } from './cookie-parameter.ts';
import type { Declaration } from './declaration.ts';
import { readHeader } from './header-parameter.ts';
import { compilePath } from './path-parameter.ts';
import { compileQuery } from './query-parameter.ts';
import type { ReadParameter } from './reading.ts';
import { linesOf } from './source.ts';

/**
 * Makes the reader of a parameter with a style (OpenAPI 3.1 §4.8.12.4).
 *
 * @param declaredInQuery the names of all parameters that the operation declares in the query
 */
export function compileStyle(declaration: Declaration, declaredInQuery: ReadonlySet<string>): ReadParameter {
  switch (declaration.in) {
    case 'path':
      return compilePath(declaration);
    case 'header':
      return (source) => readHeader(declaration, linesOf(source, declaration.name));
    case 'cookie':
      return (source) => readCookie(declaration, source);
    case 'query':
    case 'querystring':
      return compileQuery(declaration, declaredInQuery);
  }
}
