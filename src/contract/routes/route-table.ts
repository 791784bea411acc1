import { GatewayError } from '../../failures.ts';
import {
  decodeSegments,
  decodeValue,
  namesIn,
  normaliseValue,
  parseTemplate,
  shapeOf,
  type EncodedValues,
  type PathValues,
  type Segment,
} from './path-template.ts';

/** Where a request goes: the entry of its path and method, and what its path parameters are. */
export interface RouteMatch<T> {
  readonly entry: T;
  /** Decoded, to be checked. */
  readonly values: PathValues;
  /** The same as they go on. */
  readonly encoded: EncodedValues;
}

interface Leaf<T> {
  readonly methods: Map<string, Target<T>>;
  /** The paths that end in a rest here: one segment is also a rest of one, for the methods that this leaf lacks. */
  rest?: Leaf<T>;
}

/** What one method of a path leads to; other methods may call the parameters by other names. */
interface Target<T> {
  readonly template: string;
  /** True when the last parameter takes the rest of the path. */
  readonly multiSegment: boolean;
  readonly names: readonly string[];
  readonly entry: T;
  readonly matrix: ReadonlySet<string>;
}

interface MixedChild<T> {
  readonly shape: string;
  readonly segment: Segment;
  readonly vagueness: number;
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

const NO_NAMES: ReadonlySet<string> = new Set();
const NO_VALUES: Readonly<Record<string, never>> = Object.freeze({});

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
   * @param matrix the names of the parameters of the style `matrix`
   * @returns the template, in its own words, that matches the same requests already, if there is one
   */
  add(
    method: string,
    template: string,
    multiSegment: boolean,
    entry: T,
    matrix: ReadonlySet<string> = NO_NAMES,
  ): string | undefined {
    const segments = parseTemplate(template);
    const { methods } = this.#leafFor(segments, multiSegment);
    const other = methods.get(method);
    if (other !== undefined) {
      return other.template;
    }
    methods.set(method, { template, multiSegment, names: namesIn(segments), matrix, entry });
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
    const target = leaf.methods.get(method) ?? leaf.rest?.methods.get(method);
    if (target === undefined) {
      const allow = new Set([...leaf.methods.keys(), ...(leaf.rest?.methods.keys() ?? [])]);
      throw new GatewayError('method_not_allowed', { allow: [...allow] });
    }
    const { entry, names } = target;
    return names.length === 0
      ? { entry, values: NO_VALUES, encoded: NO_VALUES }
      : { entry, ...readValues(target, captured) };
  }

  /** True for a path, as it was sent, that has an operation of some method. */
  has(path: string): boolean {
    return path.startsWith('/') && find(this.#root, path.slice(1).split('/'), 0, []) !== undefined;
  }

  #leafFor(segments: readonly Segment[], multiSegment: boolean): Leaf<T> {
    let parent = this.#root;
    for (const segment of segments.slice(0, -1)) {
      parent = childFor(parent, segment);
    }
    const leaf = multiSegment
      ? (parent.rest ??= { methods: new Map() })
      : (childFor(parent, segments.at(-1) ?? []).leaf ??= { methods: new Map() });
    if (parent.parameter?.leaf !== undefined && parent.rest !== undefined) {
      parent.parameter.leaf.rest = parent.rest;
    }
    return leaf;
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
  const child = { shape, segment, vagueness: vaguenessOf(segment), node: createNode<T>() };
  const vaguer = node.mixed.findIndex(({ vagueness }) => vagueness > child.vagueness);
  node.mixed.splice(vaguer === -1 ? node.mixed.length : vaguer, 0, child);
  return child.node;
}

/** Fewer parameters and more text make a segment more concrete. */
function vaguenessOf(segment: Segment): number {
  const text = segment.reduce((length, piece) => length + ('literal' in piece ? piece.literal.length : 0), 0);
  return segment.filter((piece) => 'parameter' in piece).length * 10_000 - text;
}

function getOrCreate<T>(children: Map<string, Node<T>>, literal: string): Node<T> {
  const child = children.get(literal) ?? createNode();
  children.set(literal, child);
  return child;
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
  const text = normaliseUnreserved(segments[at] ?? '');
  for (const { segment, node: child } of node.mixed) {
    const groups = matchSegment(segment, text);
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

function readValues(
  { names, matrix, multiSegment }: Pick<Target<unknown>, 'names' | 'matrix' | 'multiSegment'>,
  captured: readonly string[],
): { values: PathValues; encoded: EncodedValues } {
  const values = Object.create(null) as Record<string, string | readonly string[]>;
  const encoded = Object.create(null) as Record<string, string>;
  for (const [index, name] of names.entries()) {
    const spansSegments = multiSegment && index === names.length - 1;
    const sent = captured[index] ?? '';
    values[name] = spansSegments ? decodeSegments(name, sent) : decodeValue(name, sent, matrix.has(name));
    encoded[name] = normaliseValue(sent);
  }
  return { values, encoded };
}

/**
 * Matches a segment of texts and parameters from left to right: a parameter ends where the next text first begins, the
 * last text stands at the end. There is no way back, so the cost grows with the length and nothing else.
 */
function matchSegment(segment: Segment, text: string): string[] | undefined {
  const values: string[] = [];
  let at = 0;
  for (const [index, piece] of segment.entries()) {
    if ('parameter' in piece) {
      const next = segment[index + 1];
      const end = next === undefined ? text.length : findLiteral(next, text, at + 1, index + 2 === segment.length);
      if (end <= at) {
        return undefined;
      }
      values.push(text.slice(at, end));
      at = end;
    } else if (text.startsWith(piece.literal, at)) {
      at += piece.literal.length;
    } else {
      return undefined;
    }
  }
  return at === text.length ? values : undefined;
}

function findLiteral(piece: Segment[number], text: string, from: number, isLast: boolean): number {
  // Between two parameters without text there is no telling where one ends: the first takes one character.
  const literal = 'literal' in piece ? piece.literal : '';
  return isLast && literal !== '' ? Math.max(text.length - literal.length, -1) : text.indexOf(literal, from);
}

/** Encoded letters, digits, `-`, `.`, `_` and `~` mean the same as plain ones (RFC 3986 §6.2.2.2). */
function normaliseUnreserved(segment: string): string {
  return segment.replaceAll(/%[2-7][0-9a-f]/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : code;
  });
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
