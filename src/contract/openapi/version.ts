import { isJsonObject } from '../../syntax/json.ts';

/** The versions of OpenAPI that are served, each by its own rules. */
export type OpenApiVersion = '3.0' | '3.1' | '3.2';

const VERSIONS: readonly OpenApiVersion[] = ['3.0', '3.1', '3.2'];

const ALLOWED = 'it must begin with `openapi: 3.1.0`, or another version of 3.0, 3.1 or 3.2';

/** The version of a document, or the sentence that says what stands in its place and what to do. */
export function readVersion(tree: unknown): OpenApiVersion | { readonly problem: string } {
  if (!isJsonObject(tree)) {
    return { problem: `is no OpenAPI document, but ${nameKind(tree)}; ${ALLOWED}` };
  }
  const { openapi, swagger } = tree;
  if (openapi === undefined && swagger !== undefined) {
    return {
      problem: `is Swagger ${typeof swagger === 'string' ? swagger : JSON.stringify(swagger)}, and OpenAPI 3.0, 3.1 and 3.2 are served; convert it with swagger2openapi or with https://editor.swagger.io (Edit, Convert to OpenAPI 3)`,
    };
  }
  if (openapi === undefined) {
    return { problem: `is no OpenAPI document: it has no version; ${ALLOWED}` };
  }
  if (typeof openapi !== 'string') {
    return { problem: `has the OpenAPI version ${JSON.stringify(openapi)}, which is no text; ${ALLOWED}` };
  }
  const version = /^3\.\d+(?=\.\d+(?:-.*)?$)/.exec(openapi)?.[0];
  const known = VERSIONS.find((candidate) => candidate === version);
  return known ?? { problem: `has the OpenAPI version ${JSON.stringify(openapi)}; ${ALLOWED}` };
}

function nameKind(tree: unknown): string {
  if (Array.isArray(tree)) {
    return 'a list';
  }
  return tree === undefined || tree === null ? 'nothing' : `a ${typeof tree === 'string' ? 'text' : typeof tree}`;
}
