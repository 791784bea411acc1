/** The part of a JSON Schema that a sample is made from. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minimum?: number;
}

const NO_EXAMPLES: ReadonlyMap<string, unknown> = new Map();

/**
 * A value that fits a schema: what its author gave as an example, or else the least that is required.
 *
 * @param resolve follows `$ref`
 * @param named examples by the name of a member
 */
export function sampleSchema(
  schema: Schema,
  resolve: (schema: Schema) => Schema,
  named: ReadonlyMap<string, unknown> = NO_EXAMPLES,
): unknown {
  return sample('text', schema);

  function sample(name: string, reference: Schema): unknown {
    const { type, examples, enum: choices, format, minimum, ...rest } = resolve(reference);
    const given = examples?.[0] ?? choices?.[0] ?? named.get(name) ?? rest.default;
    if (given !== undefined) {
      return given;
    }
    if (type === 'object') {
      return sampleMembers(rest);
    }
    if (type === 'array') {
      return rest.items ? [sample(name, rest.items)] : [];
    }
    if (type === 'boolean') {
      return true;
    }
    if (type === 'integer' || type === 'number') {
      return minimum ?? 1;
    }
    return format === 'uuid' ? '00000000-0000-4000-8000-000000000000' : name;
  }

  function sampleMembers({ properties = {}, required = [] }: Schema): Record<string, unknown> {
    return Object.fromEntries(required.map((name) => [name, sample(name, properties[name] ?? {})]));
  }
}
