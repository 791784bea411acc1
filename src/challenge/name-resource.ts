import { GatewayError } from '../failures.ts';

/**
 * Names in a failure with a challenge the metadata of the resource that was called, where that is not the whole API (RFC
 * 9728 §5.1).
 *
 * @param resourceMetadata the address of the metadata; absent for those of the API
 * @returns the error to answer with; any other failure as it is
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-5.1
 */
export function nameResource(error: unknown, resourceMetadata: string | undefined): unknown {
  return resourceMetadata !== undefined && error instanceof GatewayError && error.rule.challenge !== undefined
    ? error.with({ resourceMetadata })
    : error;
}
