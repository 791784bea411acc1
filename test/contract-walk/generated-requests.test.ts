import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { follow } from '../../src/contract/openapi/references.ts';
import { type JsonObject } from '../../src/syntax/json.ts';
import type { Answer } from '../../src/verify/answer.ts';
import { judgeForm } from '../../src/verify/judge.ts';
import { isOwnRefusal, readProblem } from '../../src/verify/judge-problem.ts';
import { loadOperations, type TriedOperation, type TriedParameter } from '../../src/verify/load-operations.ts';
import {
  EMPTY_PARTS,
  withBody,
  withoutParameter,
  shapeOf,
  withParameter,
  withText,
  type RequestParts,
} from '../../src/verify/request-parts.ts';
import { GatewayClient } from '../../src/verify/send.ts';
import type { Tokens } from '../../src/verify/tokens.ts';
import { ANY_TEXT, brokenTextsOf, brokenValuesOf, PLAIN_TEXT, valuesOf, type Ground } from './arbitraries.ts';
import { startDemo, startForeign, type WalkWorld } from './worlds.ts';

const RUNS = { numRuns: 25 };

describe.each([
  ['the contract of this repository', startDemo],
  ['a foreign contract', startForeign],
])('requests generated from %s', (_name, start) => {
  let world: WalkWorld;
  let client: GatewayClient;
  let root: JsonObject;
  let operations: readonly TriedOperation[];
  let tokens: Tokens;

  beforeAll(async () => {
    world = await start();
    client = new GatewayClient(world.url);
    ({ root, operations } = await loadOperations(world.contract));
    tokens = world.mintTokens();
  });
  afterAll(async () => {
    await client.close();
    await world.close();
  });

  function send(operation: TriedOperation, parts: RequestParts): Promise<Answer> {
    const { access } = operation;
    const isForUsers = access !== 'anonymous' && access.some(({ caller }) => caller === 'user');
    return client.send(operation, parts, isForUsers ? tokens.steppedUp : tokens.app);
  }

  it('are never refused by the gateway when they are valid, and no answer is a 5xx', async () => {
    for (const operation of operations) {
      const property = fc.asyncProperty(validParts(root, operation), async (parts) => {
        const answer = await send(operation, parts);
        expect(isOwnRefusal(answer) && readProblem(answer)).toBe(false);
        expect(answer.status).toBeLessThan(500);
        expect(judgeForm(answer, { operation, parts }, tokens.steppedUp)).toEqual([]);
      });
      await fc.assert(property, RUNS);
    }
  });

  it('are all refused with 400 when they are broken, and none reaches an API behind', async () => {
    let tried = 0;
    for (const operation of operations) {
      const broken = brokenParts(root, operation);
      const property = fc.asyncProperty(broken ?? fc.constant(EMPTY_PARTS), async (parts) => {
        const before = world.countDownstream();
        const answer = await send(operation, parts);
        expect(answer.status).toBe(400);
        expect(judgeForm(answer, { operation, parts }, tokens.steppedUp)).toEqual([]);
        expect(world.countDownstream()).toBe(before);
        tried += 1;
      });
      if (broken !== undefined) {
        await fc.assert(property, RUNS);
      }
    }
    expect(tried).toBeGreaterThan(5 * RUNS.numRuns);
  });
});

/** Every required part and some of the optional ones. */
function validParts(root: JsonObject, operation: TriedOperation): fc.Arbitrary<RequestParts> {
  const parameters = operation.parameters.map((parameter) => {
    const values = valuesOf(groundOf(root, parameter), parameter.schema).filter(isSendable(parameter));
    return parameter.declaration.required ? values : fc.option(values, { nil: undefined });
  });
  return fc
    .tuple(bodiesOf(root, operation), ...parameters)
    .map(([body, ...values]) =>
      operation.parameters.reduce<RequestParts>(
        (parts, { declaration }, index) =>
          values[index] === undefined ? parts : withParameter(parts, declaration, values[index]),
        body,
      ),
    );
}

function bodiesOf(root: JsonObject, { body }: TriedOperation): fc.Arbitrary<RequestParts> {
  if (body === undefined) {
    return fc.constant(EMPTY_PARTS);
  }
  const values =
    body.schema === undefined
      ? ANY_TEXT.filter((text) => text !== '')
      : valuesOf({ root, text: ANY_TEXT }, body.schema);
  return values.map((value) => withBody(EMPTY_PARTS, body, value));
}

/** Free texts may be anything in a query; elsewhere some characters belong to the protocol. */
function groundOf(root: JsonObject, { declaration }: TriedParameter): Ground {
  const isFree = declaration.in === 'query' && shapeOf(declaration) === 'scalar';
  return { root, text: isFree || shapeOf(declaration) === 'content' ? ANY_TEXT : PLAIN_TEXT };
}

/** An empty path segment is another path, and an empty list or map is as good as none. */
function isSendable({ declaration }: TriedParameter): (value: unknown) => boolean {
  return (value) =>
    value !== '' && (shapeOf(declaration) === 'content' || JSON.stringify(value).length > 2 || value === 0);
}

/** A valid request in which one declared part is broken; `undefined` where nothing can be. */
function brokenParts(root: JsonObject, operation: TriedOperation): fc.Arbitrary<RequestParts> | undefined {
  const ways = [
    ...operation.parameters.flatMap((parameter) => breakParameter(root, parameter)),
    ...breakBody(root, operation),
  ];
  return ways.length === 0
    ? undefined
    : fc.tuple(validParts(root, operation), fc.oneof(...ways)).map(([parts, damage]) => damage(parts));
}

type Damage = (parts: RequestParts) => RequestParts;

function breakParameter(root: JsonObject, parameter: TriedParameter): fc.Arbitrary<Damage>[] {
  const { declaration } = parameter;
  const isMissable = declaration.required && declaration.in !== 'path';
  return [
    ...(isMissable ? [fc.constant((parts: RequestParts) => withoutParameter(parts, parameter))] : []),
    ...breakText(root, parameter),
  ];
}

function breakText(root: JsonObject, parameter: TriedParameter): fc.Arbitrary<Damage>[] {
  const { declaration, schema } = parameter;
  const ground = groundOf(root, parameter);
  const set = (text: string) => (parts: RequestParts) =>
    withText(withoutParameter(parts, parameter), declaration, text);
  switch (shapeOf(declaration)) {
    case 'content':
      return [fc.constantFrom('{', 'no', '[1]', '"x"').map(set)];
    case 'map':
      return breakMembers(root, parameter);
    case 'list': {
      const items = follow(root, schema, 'items');
      return [(items && brokenTextsOf(ground, items)) ?? []].flat().map((texts) => texts.map(set));
    }
    case 'scalar':
      return [brokenTextsOf(ground, schema) ?? []].flat().map((texts) => texts.map(set));
  }
}

function breakMembers(root: JsonObject, parameter: TriedParameter): fc.Arbitrary<Damage>[] {
  const properties = follow(root, parameter.schema, 'properties');
  return Object.keys(properties?.value ?? {}).flatMap((name) => {
    const property = properties && follow(root, properties, name);
    const texts = property && brokenTextsOf(groundOf(root, parameter), property);
    return texts === undefined
      ? []
      : [
          texts.map((text) => (parts: RequestParts) => {
            const bare = withoutParameter(parts, parameter);
            return {
              ...bare,
              query: [...bare.query, [`${parameter.declaration.name}[${name}]`, encodeURIComponent(text)] as const],
            };
          }),
        ];
  });
}

function breakBody(root: JsonObject, { body }: TriedOperation): fc.Arbitrary<Damage>[] {
  if (body?.check === undefined || body.schema === undefined) {
    return [];
  }
  const { mediaType, schema, rule } = body;
  const texts = fc.oneof(
    fc.constantFrom('', '{', '{"a":1}}', "{'a':1}"),
    brokenValuesOf({ root, text: ANY_TEXT }, schema).map((value) => JSON.stringify(value)),
  );
  return [
    texts
      .filter((text) => text !== '' || rule.required)
      .map((text) => (parts: RequestParts) => ({ ...parts, body: { mediaType, text } })),
  ];
}
