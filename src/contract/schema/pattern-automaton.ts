import { isEdge, type Program, type Scan } from './pattern-program.ts';
import { CharacterSet } from './pattern-syntax.ts';

/** All states of a program that some way leads to, at one place of a text. */
interface State {
  /** In order, before what follows from them without reading a character. */
  readonly core: readonly number[];
  readonly isFirst: boolean;
  readonly afterWord: boolean;
  /** By symbol; what is not there was not needed yet. */
  readonly transitions: (Transition | undefined)[];
}

interface Transition {
  /** True when a match ends before the symbol. */
  readonly isMatch: boolean;
  /** Absent when there is no way on. */
  readonly next: State | undefined;
}

/** Characters that no set of the pattern tells apart. */
interface CharacterClass {
  readonly number: number;
  readonly isWord: boolean;
  /** Any of them. */
  readonly code: number;
}

const ASCII = 128;
const MAX_CLASSES = 63;
/** The symbol after the last character; the marks of what lies ahead and behind come on top of it. */
const END = 63;
const SYMBOLS = 64;
/** What is looked for ahead and behind; beyond this there would be too many symbols. */
const MAX_LOOKS = 4;

const MAX_STATES = 200;
const MAX_CORES = 10_000;
/** Characters for each state; when fewer are read before there are too many states again, they are not worth making. */
const WORTHWHILE = 10;

const WORD = new CharacterSet(String.raw`\w`, 'u');

/**
 * Remembers where a program went from which states on which character, so that most characters of a text cost one look
 * into an array. A program with counters has too many states for that.
 */
export class Automaton {
  readonly #program: Program;
  readonly #sets: readonly CharacterSet[];
  readonly #classes = new Map<string, CharacterClass>();
  readonly #ofAscii: (CharacterClass | undefined)[] = [];
  readonly #states = new Map<string, State>();
  #cores = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#sets = [...new Set(program.steps.flatMap((step) => (step.kind === 'character' ? [step.set] : [])))];
  }

  /** True when a program can be gone through like this. */
  static suits({ steps }: Program, looks: number): boolean {
    return looks <= MAX_LOOKS && steps.every(({ kind }) => kind !== 'count');
  }

  /** @returns `undefined` when it takes too many states */
  run({ text, marks, onMatch }: Scan): boolean | undefined {
    const { isBackward } = this.#program;
    const { length } = text;
    let state = this.#stateOf([], true, false);
    let cleared = 0;
    for (let read = 0; ; read += 1) {
      const index = isBackward ? length - read : read;
      const character = read === length ? undefined : this.#classify(text.at(isBackward ? index - 1 : index));
      if (character === undefined && read < length) {
        return undefined;
      }
      let symbol = character?.number ?? END;
      for (let look = 0; look < marks.length; look += 1) {
        symbol += (marks[look]?.[index] ?? 0) * (SYMBOLS << look);
      }
      let transition = state.transitions[symbol];
      if (transition === undefined) {
        if (this.#states.size > MAX_STATES || this.#cores > MAX_CORES) {
          if (read - cleared < MAX_STATES * WORTHWHILE) {
            return undefined;
          }
          this.#states.clear();
          this.#cores = 0;
          cleared = read;
        }
        transition = this.#advance(state, character, symbol);
      }
      if (transition.isMatch && onMatch(index)) {
        return true;
      }
      if (transition.next === undefined) {
        return false;
      }
      state = transition.next;
    }
  }

  #classify(code: number): CharacterClass | undefined {
    const known = this.#ofAscii[code];
    if (known !== undefined) {
      return known;
    }
    const isWord = WORD.has(code);
    const key = `${this.#sets.map((set) => (set.has(code) ? 1 : 0)).join('')} ${isWord}`;
    let found = this.#classes.get(key);
    if (found === undefined) {
      if (this.#classes.size === MAX_CLASSES) {
        return undefined;
      }
      found = { number: this.#classes.size, isWord, code };
      this.#classes.set(key, found);
    }
    if (code < ASCII) {
      this.#ofAscii[code] = found;
    }
    return found;
  }

  #advance(state: State, character: CharacterClass | undefined, symbol: number): Transition {
    const { steps, start, isAnchored, isBackward } = this.#program;
    const isLast = character === undefined;
    const place = {
      isStart: isBackward ? isLast : state.isFirst,
      isEnd: isBackward ? state.isFirst : isLast,
      isBoundary: state.afterWord !== (character?.isWord ?? false),
    };
    const seen = new Set<number>();
    const next = new Set<number>();
    const stack = !isAnchored || state.isFirst ? [...state.core, start] : [...state.core];
    let isMatch = false;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const step = steps[at];
      if (step === undefined || seen.has(at)) {
        continue;
      }
      seen.add(at);
      switch (step.kind) {
        case 'match':
          isMatch = true;
          break;
        case 'split':
          stack.push(step.next, step.other);
          break;
        case 'edge':
          if (isEdge(step.at, place)) {
            stack.push(step.next);
          }
          break;
        case 'look':
          if ((Math.floor(symbol / (SYMBOLS << step.look)) % 2 === 1) !== step.isNegative) {
            stack.push(step.next);
          }
          break;
        case 'character':
        case 'count':
          if (character !== undefined && step.set.has(character.code)) {
            next.add(step.next);
          }
      }
    }
    const isOver = character === undefined || (isAnchored && next.size === 0);
    const core = [...next].toSorted((one, other) => one - other);
    const transition = { isMatch, next: isOver ? undefined : this.#stateOf(core, false, character.isWord) };
    state.transitions[symbol] = transition;
    return transition;
  }

  #stateOf(core: readonly number[], isFirst: boolean, afterWord: boolean): State {
    const key = `${core.join(',')} ${isFirst} ${afterWord}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      state = { core, isFirst, afterWord, transitions: [] };
      this.#states.set(key, state);
      this.#cores += core.length;
    }
    return state;
  }
}
