/**
 * A fault of the application that uses the library; its message says what to write. It is no answer to a caller: Express
 * makes a 500 of it, as of every other error.
 */
export class OboUsageError extends Error {
  override readonly name = 'OboUsageError';
}
