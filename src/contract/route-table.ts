import { GatewayError } from '../failures.ts';
import { decodeValue, parseTemplate, shapeOf, type PathValues, type Segment } from './path-template.ts';

/** Where a request goes: the entry of its path and method, and what its path parameters are. */
export interface RouteMatch<T> {
  readonly entry: T;
  readonly values: PathValues;
}

interface Leaf<T> {
  readonly template: string;
  readonly names: readonly string[];
  readonly methods: Map<string, T>;
}

interface MixedChild<T> {
  readonly shape: string;
  readonly pattern: RegExp;
  readonly node: Node<T>;
}

/** Children in the order in which they are tried: the more concrete path wins (OpenAPI 3.1 §4.8.8.1). */
interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  readonly mixed: MixedChild<T>[];
  parameter?: Node<T>;
  rest?: Leaf<T>;
  leaf?: Leaf<T>;
}

const NO_VALUES: PathValues = Object.freeze({});

/** Several parameters in one segment cost the square of its length to tell apart, so that must be short. */
const LONGEST_MIXED_SEGMENT = 1_024;

/**
 * Finds the operation of a request. The paths are a tree of segments, so a look-up costs the length of the path, not
 * the number of operations.
 */
export class RouteTable<T> {
  readonly #root: Node<T> = createNode();

  /**
   * Adds an operation.
   *
   * @param multiSegment true when the last parameter takes the rest of the path, slashes and all
   * @returns the template that already matches the same requests with this method, if there is one
   */
  add(method: string, template: string, multiSegment: boolean, entry: T): string | undefined {
    const segments = parseTemplate(template);
    const leaf = this.#leafFor(segments, multiSegment, template);
    if (leaf.methods.has(method)) {
      return leaf.template;
    }
    leaf.methods.set(method, entry);
    return undefined;
  }

  /**
   * Finds the operation for a method and a path as it was sent, still encoded.
   *
   * @throws {GatewayError} `not_found`, `method_not_allowed` with the methods there are, or `invalid_request` for a
   *   path parameter that cannot be read safely
   */
  match(method: string, path: string): RouteMatch<T> {
    const segments = path.slice(1).split('/');
    const captured: string[] = [];
    const leaf = path.startsWith('/') ? find(this.#root, segments, 0, captured) : undefined;
    if (leaf === undefined) {
      throw new GatewayError('not_found');
    }
    const entry = leaf.methods.get(method);
    if (entry === undefined) {
      throw new GatewayError('method_not_allowed', { allow: [...leaf.methods.keys()] });
    }
    return { entry, values: leaf.names.length === 0 ? NO_VALUES : readValues(leaf.names, captured) };
  }

  #leafFor(segments: readonly Segment[], multiSegment: boolean, template: string): Leaf<T> {
    const names = segments.flatMap((segment) => segment.flatMap((p) => ('parameter' in p ? [p.parameter] : [])));
    let node = this.#root;
    for (const segment of multiSegment ? segments.slice(0, -1) : segments) {
      node = childFor(node, segment);
    }
    if (multiSegment) {
      return (node.rest ??= { template, names, methods: new Map() });
    }
    return (node.leaf ??= { template, names, methods: new Map() });
  }
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), mixed: [] };
}

function childFor<T>(node: Node<T>, segment: Segment): Node<T> {
  const [first] = segment;
  if (segment.length === 1 && first !== undefined) {
    if ('parameter' in first) {
      return (node.parameter ??= createNode());
    }
    return getOrCreate(node.literals, decodeLiteral(first.literal));
  }
  const shape = shapeOf([segment]);
  const known = node.mixed.find((child) => child.shape === shape);
  if (known !== undefined) {
    return known.node;
  }
  const child = { shape, pattern: toPattern(segment), node: createNode<T>() };
  node.mixed.push(child);
  return child.node;
}

function getOrCreate<T>(children: Map<string, Node<T>>, literal: string): Node<T> {
  const child = children.get(literal) ?? createNode();
  children.set(literal, child);
  return child;
}

function toPattern(segment: Segment): RegExp {
  const source = segment.map((piece) => ('literal' in piece ? escapePattern(piece.literal) : '(.+?)')).join('');
  return new RegExp(`^${source}$`);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function find<T>(node: Node<T>, segments: readonly string[], at: number, captured: string[]): Leaf<T> | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    return node.leaf;
  }
  const literal = node.literals.get(decodeLiteral(segment));
  const found = literal && find(literal, segments, at + 1, captured);
  return found ?? findMixed(node, segments, at, captured) ?? findParameter(node, segments, at, captured);
}

function findMixed<T>(node: Node<T>, segments: readonly string[], at: number, captured: string[]): Leaf<T> | undefined {
  const segment = segments[at] ?? '';
  if (segment.length > LONGEST_MIXED_SEGMENT) {
    return undefined;
  }
  for (const { pattern, node: child } of node.mixed) {
    const groups = pattern.exec(segment)?.slice(1);
    const found = groups && attempt(child, segments, at + 1, captured, groups);
    if (found) {
      return found;
    }
  }
  return undefined;
}

function findParameter<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  captured: string[],
): Leaf<T> | undefined {
  const segment = segments[at] ?? '';
  if (node.parameter !== undefined && segment !== '') {
    const found = attempt(node.parameter, segments, at + 1, captured, [segment]);
    if (found) {
      return found;
    }
  }
  if (node.rest !== undefined && (segment !== '' || at + 1 < segments.length)) {
    captured.push(segments.slice(at).join('/'));
    return node.rest;
  }
  return undefined;
}

/** Goes down one branch and forgets what it captured when the branch leads nowhere. */
function attempt<T>(
  child: Node<T>,
  segments: readonly string[],
  at: number,
  captured: string[],
  values: readonly string[],
): Leaf<T> | undefined {
  const before = captured.length;
  captured.push(...values);
  const found = find(child, segments, at, captured);
  if (found === undefined) {
    captured.length = before;
  }
  return found;
}

function readValues(names: readonly string[], captured: readonly string[]): PathValues {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [index, name] of names.entries()) {
    values[name] = decodeValue(name, captured[index] ?? '');
  }
  return values;
}

/** A literal segment matches however it was encoded; what cannot be decoded matches no literal. */
function decodeLiteral(segment: string): string {
  if (!segment.includes('%')) {
    return segment;
  }
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
