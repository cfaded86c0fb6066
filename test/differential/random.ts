/** Choices that are the same in every run with the same seed (mulberry32). */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  /** True in so many of a hundred times. */
  percent(share: number): boolean {
    return this.below(100) < share;
  }

  /** One of them; throws where there is none. */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error('nothing to pick from');
    return choices[this.below(choices.length)] as T;
  }

  /** Some of them, in their order, each at most once. */
  some<T>(choices: readonly T[], share: number): T[] {
    return choices.filter(() => this.percent(share));
  }

  /** A list of what is made one after the other. */
  list<T>(length: number, make: (index: number) => T): T[] {
    return Array.from({ length }, (_, index) => make(index));
  }

  /** A random version 4 UUID. */
  uuid(): string {
    const hex = this.list(32, (at) => (at === 12 ? 4 : at === 16 ? 8 + this.below(4) : this.below(16)));
    return hex
      .map((digit) => digit.toString(16))
      .join('')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** A seed for a generator of its own, so that what it draws changes nothing here. */
  seed(): number {
    return this.below(2 ** 31);
  }
}
