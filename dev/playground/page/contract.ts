import { sampleSchema, type Schema } from './sample.ts';

/** An operation of the contract, as far as a form for it goes. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly parameters: readonly Parameter[];
  readonly body: OperationBody | undefined;
}

/** A value that goes into the path, the query or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly about: string;
  readonly isRequired: boolean;
  /** The only values allowed, if there is such a list. */
  readonly choices: readonly string[];
  /** What it is when nothing is sent. */
  readonly fallback: string;
  readonly sample: string;
}

/** What an operation takes as its body, and one that fits. */
export interface OperationBody {
  readonly mediaType: string;
  readonly sample: string;
}

/** A delegated permission of the gateway. */
export interface Permission {
  /** As it is asked for at Entra: `api://…/Orders.Read`. */
  readonly scope: string;
  /** `Orders.Read`. */
  readonly name: string;
  readonly about: string;
}

/** What the gateway offers. */
export interface Contract {
  readonly operations: readonly Operation[];
  readonly permissions: readonly Permission[];
}

/**
 * Reads the contract that the gateway serves.
 * @throws {Error} when the gateway cannot be reached
 */
export async function loadContract(gatewayUrl: string): Promise<Contract> {
  const response = await fetch(`${gatewayUrl}/openapi.json`);
  const root = (await response.json()) as OpenApi;
  return { operations: readOperations(root), permissions: readPermissions(root) };
}

/** The part of an OpenAPI 3.1 document that is needed here. */
interface OpenApi {
  readonly tags?: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components?: {
    readonly securitySchemes?: Readonly<Record<string, SecurityScheme>>;
    readonly parameters?: Readonly<Record<string, OpenApiParameter>>;
  };
}

interface SecurityScheme {
  readonly flows?: Readonly<Record<string, { readonly scopes?: Readonly<Record<string, string>> }>>;
}

type PathItem = Readonly<Record<string, unknown>> & { readonly parameters?: readonly Referable<OpenApiParameter>[] };

interface OpenApiOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Referable<OpenApiParameter>[];
  readonly requestBody?: Referable<{ readonly content: Readonly<Record<string, MediaType>> }>;
}

interface OpenApiParameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema?: Referable<Schema>;
  readonly example?: unknown;
}

interface MediaType {
  readonly schema?: Referable<Schema>;
  readonly example?: unknown;
}

type Referable<T> = T | { readonly $ref: string };

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];
const FORM_PLACES: readonly string[] = ['path', 'query', 'header'];

function readOperations(root: OpenApi): Operation[] {
  const tags = (root.tags ?? []).map(({ name }) => name);
  const operations = Object.entries(root.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => readOperation(root, { path, method, item })),
  );
  return operations.toSorted((a, b) => tags.indexOf(a.tag) - tags.indexOf(b.tag));
}

interface Place {
  readonly path: string;
  readonly method: string;
  readonly item: PathItem;
}

function readOperation(root: OpenApi, { path, method, item }: Place): Operation {
  const operation = item[method] as OpenApiOperation;
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
  return {
    id: operation.operationId ?? `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    summary: operation.summary ?? '',
    tag: operation.tags?.[0] ?? '',
    parameters: parameters.flatMap((parameter) => readParameter(root, resolve(root, parameter))),
    body: operation.requestBody && readBody(root, resolve(root, operation.requestBody).content),
  };
}

function readParameter(root: OpenApi, parameter: OpenApiParameter): Parameter[] {
  if (!FORM_PLACES.includes(parameter.in)) {
    return [];
  }
  const schema = parameter.schema && resolve(root, parameter.schema);
  const { name, required = false, description = '', example } = parameter;
  const sample = example ?? (required && schema ? sampleSchema(schema, resolverOf(root)) : '');
  return [
    {
      name,
      in: parameter.in as Parameter['in'],
      about: description,
      isRequired: required,
      choices: (schema?.enum ?? []).map(String),
      fallback: toText(schema?.default),
      sample: toText(sample),
    },
  ];
}

function readBody(root: OpenApi, content: Readonly<Record<string, MediaType>>): OperationBody | undefined {
  const [first] = Object.entries(content);
  if (!first) {
    return undefined;
  }
  const [mediaType, { schema, example }] = first;
  if (schema === undefined) {
    return { mediaType, sample: 'Any content.' };
  }
  const value = example ?? sampleSchema(resolve(root, schema), resolverOf(root), readNamedExamples(root));
  return { mediaType, sample: JSON.stringify(value, undefined, 2) };
}

/** An id that the contract gives as the example of a parameter is a good one for a member of that name, too. */
function readNamedExamples({ components }: OpenApi): ReadonlyMap<string, unknown> {
  const parameters = Object.values(components?.parameters ?? {});
  return new Map(parameters.flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]])));
}

function readPermissions({ components }: OpenApi): Permission[] {
  return Object.values(components?.securitySchemes ?? {})
    .flatMap(({ flows }) => Object.entries(flows?.['authorizationCode']?.scopes ?? {}))
    .map(([scope, about]) => ({ scope, about, name: scope.slice(scope.lastIndexOf('/') + 1) }));
}

function toText(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return value === undefined ? '' : JSON.stringify(value);
}

function resolverOf(root: OpenApi): (schema: Referable<Schema>) => Schema {
  return (schema) => resolve(root, schema);
}

function resolve<T extends object>(root: OpenApi, value: Referable<T>): T {
  if (!('$ref' in value) || typeof value.$ref !== 'string') {
    return value as T;
  }
  const steps = value.$ref.split('/').slice(1);
  const found = steps.reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], root);
  return resolve(root, found as Referable<T>);
}
