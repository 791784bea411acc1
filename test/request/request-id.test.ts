import { describe, expect, it } from '@jest/globals';
import { createRequestId } from '../../src/request/request-id.ts';

describe('the id of a request', () => {
  const ids = Array.from({ length: 1_000 }, createRequestId);

  it('is a random UUID', () => {
    const random = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(ids.filter((id) => !random.test(id))).toEqual([]);
  });

  it('is another one each time', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });
});
