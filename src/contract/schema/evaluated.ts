/** The members and items of one value that some schema has looked at (JSON Schema 2020-12 §11). */
export class Evaluated {
  /** Absent until there is one: there may be millions of these, most of them empty. */
  #keys: Set<string> | undefined;
  #allKeys = false;
  /** Of an array: all before this index. */
  #before = 0;
  #indexes: Set<number> | undefined;

  addKey(key: string): void {
    this.#keys ??= new Set();
    this.#keys.add(key);
  }

  addAllKeys(): void {
    this.#allKeys = true;
  }

  /** Infinity for all. */
  addItemsBefore(index: number): void {
    this.#before = Math.max(this.#before, index);
  }

  addItem(index: number): void {
    this.#indexes ??= new Set();
    this.#indexes.add(index);
  }

  hasKey(key: string): boolean {
    return this.#allKeys || this.#keys?.has(key) === true;
  }

  hasItem(index: number): boolean {
    return index < this.#before || this.#indexes?.has(index) === true;
  }

  /** Takes over what another schema of the same value has looked at. */
  add(other: Evaluated): void {
    this.#allKeys ||= other.#allKeys;
    this.#before = Math.max(this.#before, other.#before);
    for (const key of other.#keys ?? []) {
      this.addKey(key);
    }
    for (const index of other.#indexes ?? []) {
      this.addItem(index);
    }
  }
}
