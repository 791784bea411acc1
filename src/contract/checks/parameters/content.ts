import { isFormUrlencoded, isJson } from '../media-type.ts';
import { readJson } from '../json-text.ts';
import type { Declaration } from './declaration.ts';
import { toMap } from './delimited.ts';
import { decodeQueryText } from './query.ts';
import { linesOf, readCookies, textInPath, textsInQuery, type ParameterSource } from './source.ts';
import { GIVEN_TWICE, type ReadParameter, type Reading } from './reading.ts';

/** Makes the reader of a parameter with `content` (OpenAPI 3.1 §4.8.12.3): JSON, a plain text, or what is not checked. */
export function compileContent(declaration: Declaration, mediaType: string): ReadParameter {
  const { in: place, check } = declaration;
  const read = isJson(mediaType) ? readAsJson : (text: string): Reading => ({ values: [text] });
  if (place === 'querystring') {
    return compileQuerystring(mediaType, read, check !== undefined);
  }
  return (source) => {
    const texts = textsIn(source, declaration);
    const [text] = texts;
    if (text === undefined) {
      return undefined;
    }
    if (check === undefined) {
      return { values: [] };
    }
    return texts.length > 1 ? GIVEN_TWICE : read(text);
  };
}

function compileQuerystring(mediaType: string, read: (text: string) => Reading, isChecked: boolean): ReadParameter {
  return ({ search, query }) => {
    if (search.length <= 1) {
      return undefined;
    }
    if (!isChecked) {
      return { values: [] };
    }
    return isFormUrlencoded(mediaType)
      ? { values: [toMap(query.map(([name, value]) => [name, decodeQueryText(value)]))] }
      : read(decodeQueryText(search.slice(1)));
  };
}

/** The texts of one name, decoded where the place of it is encoded. */
function textsIn(source: ParameterSource, { in: place, name }: Declaration): readonly string[] {
  switch (place) {
    case 'path':
      return [textInPath(source, name) ?? []].flat();
    case 'header':
      return linesOf(source, name);
    case 'cookie':
      return readCookies(source)
        .filter(([key]) => key === name)
        .map(([, value]) => value);
    case 'query':
    case 'querystring':
      return textsInQuery(source, name).map(decodeQueryText);
  }
}

function readAsJson(text: string): Reading {
  const reading = readJson(text) ?? { fault: { detail: 'must be JSON' } };
  return 'fault' in reading ? { fault: reading.fault.detail } : { values: [reading.value] };
}
