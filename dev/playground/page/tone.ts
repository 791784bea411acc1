/** Three kinds of answers: it went well; the client has something to do; somebody failed. */
export type Tone = 'good' | 'ask' | 'bad';

/** The kind of an answer by its status, of which 0 is none at all; a redirect can bring a refusal, too. */
export function toneOf(status: number, refusal?: string): Tone {
  if (status === 0 || status >= 500) {
    return 'bad';
  }
  return status >= 400 || refusal !== undefined ? 'ask' : 'good';
}
