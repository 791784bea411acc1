import { isJsonObject, type JsonObject } from '../../syntax/json.ts';

/** What only makes a whole address of a relative one. */
const ANYWHERE = 'http://localhost/';

/**
 * The path of the first of `servers`, with the defaults of its variables, without a slash at the end.
 *
 * @returns `undefined` where there are no `servers`
 * @throws {Error} when the address cannot be read
 */
export function readServersPath({ servers }: JsonObject): string | undefined {
  const first: unknown = Array.isArray(servers) ? servers[0] : undefined;
  if (!isJsonObject(first) || typeof first['url'] !== 'string') {
    return undefined;
  }
  const variables = isJsonObject(first['variables']) ? first['variables'] : {};
  const url = first['url'].replaceAll(/\{([^{}]*)\}/g, (reference, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return isJsonObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : reference;
  });
  if (/[{}]/.test(url) || !URL.canParse(url, ANYWHERE)) {
    throw new Error(
      `has the address ${JSON.stringify(url)} as its first server, of which no path can be read; set \`prefix\` of the document in gateway.yaml`,
    );
  }
  return new URL(url, ANYWHERE).pathname.replace(/\/+$/, '');
}
