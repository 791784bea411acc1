/** The caller hung up, so nobody needs an answer any more. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}
