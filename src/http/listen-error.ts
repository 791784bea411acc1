/** A port cannot be listened on; the message names its key in gateway.yaml. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}
