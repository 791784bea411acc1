/** A media type or a range of them (RFC 9110 §8.3.1 and §12.5.1), with everything in lower case but values. */
export interface MediaType {
  /** Without its parameters: `application/json`, `application/*+json`, `text/*`. */
  readonly range: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Takes a media type apart; of a parameter that is named twice the first value counts. */
export function parseMediaType(text: string): MediaType {
  const [range = '', ...parts] = text.split(';');
  const parameters = new Map<string, string>();
  for (const part of parts) {
    const [name = '', ...value] = part.split('=');
    const key = name.trim().toLowerCase();
    if (key !== '' && !parameters.has(key)) {
      parameters.set(
        key,
        value
          .join('=')
          .trim()
          .replace(/^"(.*)"$/, '$1'),
      );
    }
  }
  return { range: range.trim().toLowerCase(), parameters };
}

const NAME = String.raw`[\w!#$%&'*+.^\`|~-]+`;
const JSON_NAME = new RegExp(String.raw`^(?:application/json|text/json|${NAME}/${NAME}\+json)$`);
const MEDIA_TYPE = new RegExp(`^${NAME}/${NAME}$`);

/** True for JSON by any of its names: `application/json`, `text/json` and everything that ends in `+json` (RFC 6839 §3.1). */
export function isJson(mediaType: string): boolean {
  return JSON_NAME.test(bareMediaType(mediaType));
}

/** True for plain text, which is a text to its schema. */
export function isText(mediaType: string): boolean {
  return bareMediaType(mediaType) === 'text/plain';
}

/** True for the media type of HTML forms. */
export function isFormUrlencoded(mediaType: string): boolean {
  return bareMediaType(mediaType) === 'application/x-www-form-urlencoded';
}

/** True for one media type as RFC 9110 §8.3.1 writes it; parameters may follow. */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(bareMediaType(text));
}

/** A media type in lower case and without its parameters. */
export function bareMediaType(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase();
}
