import { Automaton } from './pattern-automaton.ts';
import { isEdge, TooMuchWork, type Program, type Programs, type Scan, type Step } from './pattern-program.ts';
import { CharacterSet } from './pattern-syntax.ts';

const WORD = new CharacterSet(String.raw`\w`, 'u');

/**
 * Makes the search for a pattern in texts. It takes time in proportion to the text, whatever both are; where that is
 * many steps for each character, they are counted.
 */
export function createSearch({ main, looks }: Programs): (text: Scan['text'], work: Scan['work']) => boolean {
  const runLooks = looks.map((look) => createRun(look, looks.length));
  const runMain = createRun(main, looks.length);
  return (text, work) => {
    const marks: Uint8Array[] = [];
    for (const run of runLooks) {
      const found = new Uint8Array(text.length + 1);
      run({
        text,
        work,
        marks,
        onMatch(index) {
          found[index] = 1;
          return false;
        },
      });
      marks.push(found);
    }
    return runMain({ text, work, marks, onMatch: endAtOnce });
  };
}

function endAtOnce(): boolean {
  return true;
}

function createRun(program: Program, looks: number): (scan: Scan) => boolean {
  const slowly = (scan: Scan): boolean => new Machine(program, scan).run();
  if (!Automaton.suits(program, looks)) {
    return slowly;
  }
  const automaton = new Automaton(program);
  return (scan) => automaton.run(scan) ?? slowly(scan);
}

/** Places that ended, after which the list of them is made anew. */
const LEFT_BEHIND = 1_000;

/** The places where a counted repetition of one character began and may still go on, the oldest first. */
class Counter {
  #places: number[] = [];
  #first = 0;

  /** @param onlyOldest for a repetition without an upper limit, of which no other place matters */
  begin(place: number, onlyOldest: boolean): void {
    if (!this.isIdle && (onlyOldest || this.#places.at(-1) === place)) {
      return;
    }
    this.#places.push(place);
  }

  get isIdle(): boolean {
    return this.#first === this.#places.length;
  }

  /** Ends the repetitions that would have more than so many characters. */
  advance(read: number, most: number): void {
    while (!this.isIdle && this.longest(read) > most) {
      this.#first += 1;
    }
    if (this.isIdle || this.#first > LEFT_BEHIND) {
      this.#places = this.#places.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The most characters that some repetition has. */
  longest(read: number): number {
    return read - (this.#places[this.#first] ?? read);
  }
}

/**
 * Goes through a text once, in all states at a time that some way leads to.
 *
 * @throws {TooMuchWork} when no steps are left
 */
class Machine {
  readonly #program: Program;
  readonly #scan: Scan;
  /** For each state, the number of characters after which it was last entered, and one. */
  readonly #entered: Uint32Array;
  readonly #counters = new Map<number, Counter>();
  #active: number[] = [];
  #stack: number[] = [];
  #matches = false;

  constructor(program: Program, scan: Scan) {
    this.#program = program;
    this.#scan = scan;
    this.#entered = new Uint32Array(program.steps.length);
  }

  run(): boolean {
    const { start, isBackward, isAnchored } = this.#program;
    const { text, onMatch } = this.#scan;
    const { length } = text;
    for (let read = 0; ; read += 1) {
      const index = isBackward ? length - read : read;
      if (!isAnchored || read === 0) {
        this.#enter(start, read, index);
      }
      if (this.#matches && onMatch(index)) {
        return true;
      }
      if (read === length || (isAnchored && this.#active.length === 0)) {
        return false;
      }
      this.#advance(text.at(isBackward ? index - 1 : index), read + 1, isBackward ? index - 1 : index + 1);
    }
  }

  #advance(code: number, read: number, index: number): void {
    const { steps } = this.#program;
    const before = this.#active;
    this.#countWork(before.length + this.#counters.size);
    this.#active = [];
    this.#matches = false;
    // First, so that what ends here does not end a repetition that begins here.
    for (const [state, counter] of this.#counters) {
      const step = steps[state];
      if (step?.kind === 'count') {
        counter.advance(read, step.set.has(code) ? step.most : 0);
      }
    }
    for (const state of before) {
      const step = steps[state];
      if (step?.kind === 'character' && step.set.has(code)) {
        this.#enter(step.next, read, index);
      } else if (step?.kind === 'count') {
        this.#count(step, state, read, index);
      }
    }
  }

  #countWork(steps: number): void {
    const { work } = this.#scan;
    work.stepsLeft -= steps;
    if (work.stepsLeft < 0) {
      throw new TooMuchWork();
    }
  }

  #count({ fewest, next }: Step & { kind: 'count' }, state: number, read: number, index: number): void {
    const counter = this.#counters.get(state);
    if (counter === undefined || counter.isIdle) {
      return;
    }
    if (this.#entered[state] !== read + 1) {
      this.#entered[state] = read + 1;
      this.#active.push(state);
    }
    if (counter.longest(read) >= fewest) {
      this.#enter(next, read, index);
    }
  }

  /** Goes on from a state to all that wait for a character. */
  #enter(first: number, read: number, index: number): void {
    const { steps } = this.#program;
    const stack = this.#stack;
    stack.push(first);
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      const step = steps[state];
      if (step?.kind === 'count') {
        this.#begin(state, step, read);
      }
      if (step === undefined || this.#entered[state] === read + 1) {
        continue;
      }
      this.#entered[state] = read + 1;
      switch (step.kind) {
        case 'match':
          this.#matches = true;
          break;
        case 'split':
          stack.push(step.other, step.next);
          break;
        case 'edge':
          if (isEdge(step.at, this.#placeAt(index))) {
            stack.push(step.next);
          }
          break;
        case 'look':
          if ((this.#scan.marks[step.look]?.[index] === 1) !== step.isNegative) {
            stack.push(step.next);
          }
          break;
        case 'character':
        case 'count':
          this.#active.push(state);
      }
    }
  }

  #begin(state: number, { most }: Step & { kind: 'count' }, read: number): void {
    let counter = this.#counters.get(state);
    if (counter === undefined) {
      counter = new Counter();
      this.#counters.set(state, counter);
    }
    counter.begin(read, most === Number.POSITIVE_INFINITY);
  }

  #placeAt(index: number): Parameters<typeof isEdge>[1] {
    return {
      isStart: index === 0,
      isEnd: index === this.#scan.text.length,
      isBoundary: this.#isWord(index - 1) !== this.#isWord(index),
    };
  }

  #isWord(index: number): boolean {
    const { text } = this.#scan;
    return index >= 0 && index < text.length && WORD.has(text.at(index));
  }
}
