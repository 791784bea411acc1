import { escapePointer } from '../../syntax/json.ts';
import { Evaluated } from './evaluated.ts';
import { Identities } from './identity.ts';

/** One fault of a value against its schema. */
export interface SchemaFault {
  /** RFC 6901 pointer into the value. */
  readonly pointer: string;
  readonly detail: string;
}

/** Where in the value a schema looks: the keys on the way, from the last to the first. */
export interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
}

/**
 * Looks at a value with one schema or one keyword of it.
 *
 * @param at where the value stands, when faults are to be written down; otherwise only the verdict counts
 * @param seen gets what was evaluated (JSON Schema 2020-12 §11), when a schema around this one asks for it
 */
export type Test = (value: unknown, run: Run, at: Place | undefined, seen: Evaluated | undefined) => boolean;

/** A schema that a `$ref` leads to. */
export interface Target {
  readonly test: Test;
  /** True when it has references itself: only such a schema can be met again and again for one value. */
  readonly refers: boolean;
}

/** The place of the whole value. */
export const WHOLE: Place = { parent: undefined, key: '' };

const MAX_FAULTS = 50;
/** Characters of all faults together; the caller chose their pointers, and may have chosen long ones. */
const MAX_TEXT = 32 * 1_024;
const MAX_POINTER = 1_024;
/** So many take less than a second. */
const MAX_STEPS = 10_000_000;

interface Verdict {
  readonly isValid: boolean;
  readonly evaluated: Evaluated;
}

/**
 * One look at one value. Whatever the schemas say, each schema that a `$ref` leads to looks at each part of the value
 * once, so that the time grows with the size of the value and of the schemas, and not with the ways through them.
 */
export class Run {
  readonly faults: SchemaFault[] = [];
  /** For patterns that need many steps for each character. */
  stepsLeft = MAX_STEPS;
  #textLength = 0;
  #verdicts: Map<Target, Map<unknown, boolean>> | undefined;
  #evaluations: Map<Target, Map<unknown, Verdict>> | undefined;
  #identities: Identities | undefined;
  #lists: Map<readonly unknown[], ReadonlySet<unknown>> | undefined;

  /** What the items of arrays are equal to. */
  get identities(): Identities {
    this.#identities ??= new Identities();
    return this.#identities;
  }

  /** True when a list of objects and arrays has an equal one; the list is gone through once, however often it is asked. */
  isListed(value: unknown, list: readonly unknown[]): boolean {
    if (typeof value !== 'object' || value === null) {
      return false;
    }
    this.#lists ??= new Map();
    let identities = this.#lists.get(list);
    if (identities === undefined) {
      identities = new Set(list.map((item) => this.identities.of(item)));
      this.#lists.set(list, identities);
    }
    return identities.has(this.identities.of(value));
  }

  /** Says after a fault whether to look for others: while they are written down, and there is room for more. */
  goesOn(at: Place | undefined): boolean {
    return at !== undefined && this.faults.length < MAX_FAULTS && this.#textLength < MAX_TEXT;
  }

  /** Writes a fault down, where that is asked for. */
  fail(at: Place | undefined, detail: string): false {
    if (at !== undefined && this.goesOn(at)) {
      const pointer = toPointer(at);
      this.faults.push({ pointer, detail });
      this.#textLength += pointer.length + detail.length;
    }
    return false;
  }

  /** Looks at a value with a schema that a `$ref` leads to. */
  follow(target: Target, value: unknown, at: Place | undefined, seen: Evaluated | undefined): boolean {
    if (at !== undefined && this.goesOn(at)) {
      // Only what does not fit is gone through again, to write down why.
      return this.follow(target, value, undefined, seen) || target.test(value, this, at, seen);
    }
    if (!target.refers) {
      return target.test(value, this, undefined, seen);
    }
    return seen === undefined ? this.#judge(target, value) : this.#evaluate(target, value, seen);
  }

  #judge(target: Target, value: unknown): boolean {
    this.#verdicts ??= new Map();
    const verdicts = getOrCreate(this.#verdicts, target);
    const known = verdicts.get(value);
    if (known !== undefined) {
      return known;
    }
    const isValid = target.test(value, this, undefined, undefined);
    verdicts.set(value, isValid);
    return isValid;
  }

  #evaluate(target: Target, value: unknown, seen: Evaluated): boolean {
    this.#evaluations ??= new Map();
    const verdicts = getOrCreate(this.#evaluations, target);
    let verdict = verdicts.get(value);
    if (verdict === undefined) {
      const evaluated = new Evaluated();
      verdict = { isValid: target.test(value, this, undefined, evaluated), evaluated };
      verdicts.set(value, verdict);
    }
    if (verdict.isValid) {
      seen.add(verdict.evaluated);
    }
    return verdict.isValid;
  }
}

function getOrCreate<T>(maps: Map<Target, Map<unknown, T>>, target: Target): Map<unknown, T> {
  let map = maps.get(target);
  if (map === undefined) {
    map = new Map();
    maps.set(target, map);
  }
  return map;
}

/** The RFC 6901 pointer to a place. One that would be very long ends early: what is wrong is somewhere below. */
export function toPointer(at: Place): string {
  const keys: (string | number)[] = [];
  for (let place = at; place.parent !== undefined; place = place.parent) {
    keys.push(place.key);
  }
  let pointer = '';
  for (const key of keys.toReversed()) {
    const longer = `${pointer}/${typeof key === 'number' ? key : escapePointer(key)}`;
    if (longer.length > MAX_POINTER) {
      return pointer;
    }
    pointer = longer;
  }
  return pointer;
}

const MAX_QUOTE = 100;

/** A name as the caller wrote it, for a fault; what a long one has beyond a hundred characters is left out. */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTE ? `${name.slice(0, MAX_QUOTE)}…` : name);
}
