import type { CharacterSet, PatternNode } from './pattern-syntax.ts';

/** One state of a program; `next` and `other` are indexes of states. */
export type Step =
  | { readonly kind: 'match' }
  | { readonly kind: 'character'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'count'; readonly set: CharacterSet; readonly fewest: number; readonly most: number; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' | 'word' | 'inside'; next: number }
  | { readonly kind: 'look'; readonly look: number; readonly isNegative: boolean; next: number };

/** A state machine without memory of the way to a state, so that no text takes longer than its length says. */
export interface Program {
  readonly steps: readonly Step[];
  readonly start: number;
  /** True for one that reads from the end of the text to its beginning. */
  readonly isBackward: boolean;
  /** True when it can only match from the beginning of the text. */
  readonly isAnchored: boolean;
}

/** A text as a pattern sees it: character by character. */
export interface Characters {
  readonly length: number;
  at(index: number): number;
}

/** How many steps of programs a check may still go through; shared by all patterns and texts of one check. */
export interface PatternWork {
  stepsLeft: number;
}

/** A caller's text would keep a pattern busy for so long that everyone else would wait. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork';
}

/** One way of a program through a text. */
export interface Scan {
  readonly text: Characters;
  readonly work: PatternWork;
  /** For each thing that is looked for ahead and behind: 1 at each index where it is found. */
  readonly marks: readonly Uint8Array[];
  /** Called with each index where a match ends; true ends the way. */
  readonly onMatch: (index: number) => boolean;
}

/** Where in a text an edge is looked for. */
interface EdgePlace {
  readonly isStart: boolean;
  readonly isEnd: boolean;
  /** Between a letter, digit or underscore and something else. */
  readonly isBoundary: boolean;
}

/** True when there is such an edge at a place (ECMA-262 §22.2.2.4). */
export function isEdge(edge: 'start' | 'end' | 'word' | 'inside', place: EdgePlace): boolean {
  switch (edge) {
    case 'start':
      return place.isStart;
    case 'end':
      return place.isEnd;
    case 'word':
      return place.isBoundary;
    case 'inside':
      return !place.isBoundary;
  }
}

/** A pattern, and what it looks for ahead and behind; those that others need come first. */
export interface Programs {
  readonly main: Program;
  readonly looks: readonly Program[];
}

/** Shorter repetitions of one character are written out; longer ones are counted. */
const WRITTEN_OUT = 16;

/** What it costs to look at one character at the most; patterns of people have less than a hundred. */
const MAX_STEPS = 2_000;

/** @throws {Error} for a pattern that is too large */
export function compilePrograms(pattern: PatternNode): Programs {
  const looks: Program[] = [];
  let total = 0;
  return { main: compile(pattern, false), looks };

  function compile(node: PatternNode, isBackward: boolean): Program {
    const steps: Step[] = [{ kind: 'match' }];
    const start = add(node, 0);
    return { steps, start, isBackward, isAnchored: !isBackward && isAnchoredAtStart(node) };

    /** The state from which a node leads to the state `next`. */
    function add(part: PatternNode, next: number): number {
      switch (part.kind) {
        case 'character':
          return push({ kind: 'character', set: part.set, next });
        case 'sequence':
          return (isBackward ? part.parts : part.parts.toReversed()).reduce((after, item) => add(item, after), next);
        case 'choice':
          return part.parts
            .map((branch) => add(branch, next))
            .reduce((other, branch) => push({ kind: 'split', next: branch, other }));
        case 'repeat':
          return addRepeat(part, next);
        case 'edge':
          return push({ kind: 'edge', at: part.at, next });
        case 'look': {
          // What lies ahead is found on the way from the end, for every place at once.
          looks.push(compile(part.part, part.direction === 'ahead'));
          return push({ kind: 'look', look: looks.length - 1, isNegative: part.isNegative, next });
        }
      }
    }

    function addRepeat({ part, fewest, most }: PatternNode & { kind: 'repeat' }, next: number): number {
      const single = part.kind === 'character' ? part.set : undefined;
      if (single !== undefined && (fewest > WRITTEN_OUT || (most > WRITTEN_OUT && most !== Number.POSITIVE_INFINITY))) {
        const count = push({ kind: 'count', set: single, fewest, most, next });
        return fewest === 0 ? push({ kind: 'split', next: count, other: next }) : count;
      }
      if (isEmpty(part)) {
        return next;
      }
      let after = next;
      if (most === Number.POSITIVE_INFINITY) {
        const loop: Step = { kind: 'split', next: 0, other: next };
        after = push(loop);
        loop.next = add(part, after);
      } else {
        for (let copy = fewest; copy < most; copy += 1) {
          after = push({ kind: 'split', next: add(part, after), other: next });
        }
      }
      for (let copy = 0; copy < fewest; copy += 1) {
        after = add(part, after);
      }
      return after;
    }

    function push(step: Step): number {
      total += 1;
      if (total > MAX_STEPS) {
        throw new Error('has too many repetitions of groups to be looked for in linear time; write smaller numbers');
      }
      steps.push(step);
      return steps.length - 1;
    }
  }
}

/** True when a node takes no character and asks for nothing, and so says the same however often it is repeated. */
function isEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case 'sequence':
    case 'choice':
      return node.parts.every(isEmpty);
    case 'repeat':
      return isEmpty(node.part);
    case 'character':
    case 'edge':
    case 'look':
      return false;
  }
}

function isAnchoredAtStart(node: PatternNode): boolean {
  switch (node.kind) {
    case 'edge':
      return node.at === 'start';
    case 'sequence':
      return node.parts[0] !== undefined && isAnchoredAtStart(node.parts[0]);
    case 'choice':
      return node.parts.every(isAnchoredAtStart);
    case 'character':
    case 'repeat':
    case 'look':
      return false;
  }
}
