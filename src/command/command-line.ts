import { parseArgs } from 'node:util';
import { findNearest } from '../syntax/edit-distance.ts';

/** The options of a command by name: whether they take a value, and whether they must be there. */
export type CommandOptions = Readonly<
  Record<string, { readonly takes: 'value' | 'nothing'; readonly needed?: boolean }>
>;

/** The options that were given, by name. */
export type OptionValues = Readonly<Record<string, string | true>>;

/** What a command line asks for, or what is wrong with it. */
export type CommandLine =
  | { readonly asks: 'help' | 'version' | 'nothing' }
  | { readonly asks: 'command'; readonly name: string; readonly options: OptionValues }
  | { readonly asks: 'fault'; readonly fault: string };

/** The options about the program itself, which go with any command or none. */
const QUESTIONS = { help: 'h', version: 'v' } as const;

/**
 * Reads a command line. A fault names the word that is wrong, and the nearest one that is known.
 *
 * @param argv without the program
 * @param commands the options of each command
 */
export function readCommandLine(argv: readonly string[], commands: ReadonlyMap<string, CommandOptions>): CommandLine {
  const known = new Map([...commands.values()].flatMap((options) => Object.entries(options)));
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(Object.entries(QUESTIONS).map(([name, short]) => [name, { type: 'boolean', short }])),
      ...Object.fromEntries(
        [...known].map(([name, { takes }]) => [name, { type: takes === 'value' ? 'string' : 'boolean' }]),
      ),
    },
  });
  const words: string[] = [];
  const values: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') {
      words.push(token.value);
    } else if (token.kind === 'option') {
      if (Object.hasOwn(QUESTIONS, token.name)) {
        return { asks: token.name as keyof typeof QUESTIONS };
      }
      const option = known.get(token.name);
      const fault = option === undefined ? `unknown option ${token.rawName}` : faultOf(token, option.takes);
      if (fault !== undefined) {
        const isUnknown = option === undefined && token.rawName.startsWith('--');
        return { asks: 'fault', fault: fault + (isUnknown ? suggest(token.name, [...known.keys()], '--') : '') };
      }
      values[token.name] = token.value ?? true;
    }
  }
  return choose(words, values, commands);
}

function choose(
  [name, extra]: readonly string[],
  options: OptionValues,
  commands: ReadonlyMap<string, CommandOptions>,
): CommandLine {
  if (name === undefined) {
    return Object.keys(options).length === 0 ? { asks: 'nothing' } : { asks: 'fault', fault: 'a command is missing' };
  }
  const takes = commands.get(name);
  if (takes === undefined) {
    return { asks: 'fault', fault: `unknown command ${name}${suggest(name, [...commands.keys()])}` };
  }
  if (extra !== undefined) {
    return { asks: 'fault', fault: `unexpected argument ${extra}` };
  }
  const foreign = Object.keys(options).find((option) => !Object.hasOwn(takes, option));
  if (foreign !== undefined) {
    return { asks: 'fault', fault: `${name} takes no --${foreign}` };
  }
  const missing = Object.keys(takes).find((option) => takes[option]?.needed === true && options[option] === undefined);
  return missing === undefined
    ? { asks: 'command', name, options }
    : { asks: 'fault', fault: `${name} needs --${missing}` };
}

function faultOf(
  { rawName, value, inlineValue }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  takes: 'value' | 'nothing',
): string | undefined {
  if (takes === 'nothing') {
    return inlineValue === true ? `${rawName} takes no value` : undefined;
  }
  const isMissing = value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));
  return isMissing ? `${rawName} needs a value` : undefined;
}

function suggest(unknown: string, known: readonly string[], prefix = ''): string {
  const nearest = findNearest(unknown, known);
  return nearest !== undefined && nearest.distance <= Math.max(2, unknown.length / 3)
    ? `; did you mean ${prefix}${nearest.word}?`
    : '';
}
