import type { CharacterSet, PatternNode } from './pattern-syntax.ts';

/** What can come next: the characters, and whether it can be nothing. */
interface Beginning {
  readonly sets: readonly CharacterSet[];
  readonly canBeEmpty: boolean;
}

const NOTHING: Beginning = { sets: [], canBeEmpty: false };

/** A pattern without `^` is tried at every character, so there it may look at no more characters than these. */
const MAX_WITHOUT_START = 32;

/**
 * True when no text can be read by a pattern in two ways: then JavaScript's own engine, which tries one way after the
 * other, takes time in proportion to the text as well. Most patterns of people are so; this one proof is enough for them.
 */
export function hasOneWay(pattern: PatternNode): boolean {
  const [first, ...rest] = pattern.kind === 'sequence' ? pattern.parts : [pattern];
  if (first === undefined) {
    return true;
  }
  const isAnchored = first.kind === 'edge' && first.at === 'start';
  const body: PatternNode = isAnchored ? { kind: 'sequence', parts: rest } : pattern;
  return (isAnchored || lengthOf(body) <= MAX_WITHOUT_START) && begin(body, NOTHING) !== undefined;
}

/** How a node can begin when something follows it; `undefined` when there is more than one way through it. */
function begin(node: PatternNode, next: Beginning): Beginning | undefined {
  switch (node.kind) {
    case 'character':
      return { sets: [node.set], canBeEmpty: false };
    case 'sequence':
      return node.parts.reduceRight<Beginning | undefined>((after, part) => after && beginBefore(part, after), next);
    case 'choice':
      return beginChoice(node.parts, next);
    case 'repeat':
      return beginRepeat(node, next);
    case 'edge':
      return node.at === 'end' ? NOTHING : undefined;
    case 'look':
      return undefined;
  }
}

function beginBefore(part: PatternNode, next: Beginning): Beginning | undefined {
  const own = begin(part, next);
  return own?.canBeEmpty === true ? { sets: [...own.sets, ...next.sets], canBeEmpty: next.canBeEmpty } : own;
}

function beginChoice(parts: readonly PatternNode[], next: Beginning): Beginning | undefined {
  let all: Beginning = { sets: [], canBeEmpty: false };
  for (const part of parts) {
    const own = begin(part, next);
    if (own === undefined || own.canBeEmpty || !areApart(all.sets, own.sets)) {
      return undefined;
    }
    all = { sets: [...all.sets, ...own.sets], canBeEmpty: false };
  }
  return all;
}

function beginRepeat({ part, fewest, most }: PatternNode & { kind: 'repeat' }, next: Beginning): Beginning | undefined {
  const once = begin(part, NOTHING);
  if (once === undefined || once.canBeEmpty) {
    return undefined;
  }
  const again = most > 1 ? once.sets : [];
  const own = begin(part, { sets: [...again, ...next.sets], canBeEmpty: false });
  const isCertain = fewest === most || areApart(once.sets, next.sets);
  return own === undefined || !isCertain ? undefined : { sets: own.sets, canBeEmpty: fewest === 0 };
}

function areApart(some: readonly CharacterSet[], others: readonly CharacterSet[]): boolean {
  return some.every((one) => others.every((other) => one.isApartFrom(other)));
}

/** The most characters that a node can take. */
function lengthOf(node: PatternNode): number {
  switch (node.kind) {
    case 'character':
      return 1;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + lengthOf(part), 0);
    case 'choice':
      return Math.max(...node.parts.map(lengthOf));
    case 'repeat':
      return node.most === 0 ? 0 : node.most * lengthOf(node.part);
    case 'edge':
    case 'look':
      return 0;
  }
}
