import { readItems } from '../../schema/text-readings.ts';
import type { Declaration, Style } from './declaration.ts';
import { readDeepObject } from './deep-object.ts';
import { toMap, type Delimiting } from './delimited.ts';
import { decodeQueryText, type QueryPair } from './query.ts';
import { GIVEN_TWICE, readRepeated, readWhole, type Reading, type ReadParameter } from './reading.ts';
import { textsInQuery, type ParameterSource } from './source.ts';

/**
 * Makes the reader of a parameter of the query: `form`, `spaceDelimited`, `pipeDelimited` or `deepObject`.
 *
 * @param declaredInQuery the names of all parameters that the operation declares in the query
 */
export function compileQuery(declaration: Declaration, declaredInQuery: ReadonlySet<string>): ReadParameter {
  const { name, allowsEmpty, kinds } = declaration;
  const read = kinds.has('array') || kinds.has('object') ? compileNest(declaration, declaredInQuery) : readOne;
  return (source) => {
    const texts = textsInQuery(source, name);
    return allowsEmpty && texts.length === 1 && texts[0] === '' ? NOTHING_TO_CHECK : read(texts, source);
  };
}

const NOTHING_TO_CHECK: Reading = { values: [] };

/** Reads what the query has under the name of a parameter, encoded, and what it has beside that. */
type ReadTexts = (texts: readonly string[], source: ParameterSource) => Reading | undefined;

const readOne: ReadTexts = (texts) => {
  const [text] = texts;
  if (text === undefined) {
    return undefined;
  }
  return texts.length === 1 ? { values: [decodeQueryText(text)] } : GIVEN_TWICE;
};

function compileNest(declaration: Declaration, declaredInQuery: ReadonlySet<string>): ReadTexts {
  if (declaration.style === 'deepObject') {
    return (texts, source) => readDeep(declaration, source, texts);
  }
  return declaration.explode
    ? (texts, source) => readExploded(declaration, source, texts, declaredInQuery)
    : (texts) => readJoined(texts, declaration);
}

/** `?color=blue&color=black`, or a map that is spread over the query. */
function readExploded(
  declaration: Declaration,
  { query }: ParameterSource,
  texts: readonly string[],
  declaredInQuery: ReadonlySet<string>,
): Reading | undefined {
  const values = readRepeated(texts.map(decodeQueryText), declaration);
  if (declaration.kinds.has('object') && declaration.style === 'form') {
    const members = membersIn(query, declaration, declaredInQuery);
    if (members.length > 0) {
      values.push(toMap(members.map(([key, value]) => [key, decodeQueryText(value)])));
    }
  }
  return values.length > 0 ? { values } : texts.length > 0 ? GIVEN_TWICE : undefined;
}

/**
 * The members of a map that is spread over the query: every parameter that is not declared itself. Where the map can be
 * something else, only members that its schema names tell that it is there.
 */
function membersIn(
  query: readonly QueryPair[],
  declaration: Declaration,
  declaredInQuery: ReadonlySet<string>,
): readonly QueryPair[] {
  const { name, kinds, members, takesText } = declaration;
  const found = query.filter(([key]) => key === name || !declaredInQuery.has(key));
  const isMap = !(takesText || kinds.has('array')) || found.some(([key]) => key !== name && members.has(key));
  return isMap ? found : [];
}

const IN_QUERY = { decode: decodeQueryText, takesEncoded: true } as const;
const DELIMITERS: Partial<Readonly<Record<Style, Delimiting>>> = {
  form: { ...IN_QUERY, delimiter: ',', isEncoded: false },
  // Neither a space nor a pipe may stand in a URL as it is.
  spaceDelimited: { ...IN_QUERY, delimiter: ' ', isEncoded: true },
  pipeDelimited: { ...IN_QUERY, delimiter: '|', isEncoded: true },
};

/** `?color=blue,black`, and the same with spaces or pipes. */
function readJoined(texts: readonly string[], declaration: Declaration): Reading | undefined {
  const [text] = texts;
  const delimiting = DELIMITERS[declaration.style];
  if (text === undefined || delimiting === undefined) {
    return undefined;
  }
  return texts.length === 1 ? readWhole(text, declaration, delimiting) : GIVEN_TWICE;
}

/** `?color[R]=100`; what can be no map may stand there under its plain name. */
function readDeep(declaration: Declaration, { query }: ParameterSource, texts: readonly string[]): Reading | undefined {
  const deep = readDeepObject(declaration.name, query);
  if (texts.length === 0 || !(declaration.takesText || declaration.kinds.has('array'))) {
    return deep === undefined || 'fault' in deep ? deep : { values: readDeepValues(deep.value, declaration) };
  }
  const values = deep === undefined ? readRepeated(texts.map(decodeQueryText), declaration) : [];
  return values.length === 0 ? GIVEN_TWICE : { values };
}

function readDeepValues(value: unknown, { kinds }: Declaration): readonly unknown[] {
  const items = kinds.has('array') ? readItems(value) : undefined;
  return items === undefined ? [value] : [items, value];
}
