import { readYaml, type TreeReading } from '../../syntax/read-yaml.ts';
import { readJson } from '../checks/json-text.ts';

/** Texts and keys of JSON begin alike, so that YAML, which takes ten times as long, is not tried as JSON. */
const LIKE_JSON = /^\s*[[{]/;

/** Reads a YAML or JSON text as the JSON value that it stands for. A key that stands twice is a problem in both. */
export function readTree(text: string): TreeReading {
  const source = text.replace(/^\uFEFF/, '');
  const json = LIKE_JSON.test(source) ? readJson(source) : undefined;
  if (json !== undefined && 'value' in json) {
    return { tree: json.value };
  }
  // JSON is YAML too, whose parser knows the lines.
  const reading = readYaml(source);
  const place = json?.fault.pointer;
  // A line says little where all of a document is one.
  return 'problem' in reading && place !== undefined ? { ...reading, problem: `has the key #${place} twice` } : reading;
}
