/** The keys of `vsb top`, as its help screen has them; docs/top.md has the same. */

/** Keys and what they do. */
export const TOP_KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['↑ ↓ j k  PgUp PgDn  g G', 'choose a row'],
  ['Enter', 'deeper: a VM to its pairs, a pair to its conversations'],
  ['Escape, Backspace', 'back; at the top, away with the filter'],
  ['Tab, Shift-Tab', 'next view, previous view'],
  ['/', 'filter: vm=web* and rate > 1M (Tab completes, Enter applies, an empty one shows all)'],
  ['< >', 'sort by the column before, by the next'],
  ['r', 'turn the order round'],
  ['b', 'bits or bytes'],
  ['Space', 'pause, go on'],
  ['? h', 'this help'],
  ['q, Ctrl-C', 'quit'],
];
