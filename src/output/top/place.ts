/** Where a person can be in `vsb top`. Types, and the order of the views. */
import type { Pair } from '../../traffic/pairs/pair.ts';
import type { VmRow } from '../../traffic/views.ts';

/** The views, in the order of TAB. */
export const TOP_VIEWS = ['vms', 'pairs', 'conversations'] as const;
export type TopView = (typeof TOP_VIEWS)[number];

/** Whose rows a view shows. */
export type Scope =
  | { readonly of: 'all' }
  | { readonly of: 'vm'; readonly vm: Pick<VmRow, 'vm' | 'topology'> }
  | { readonly of: 'pair'; readonly pair: Pick<Pair, 'bridge' | 'from' | 'to'> };

/** A view, and where in it the person is. */
export interface Place {
  readonly view: TopView;
  readonly scope: Scope;
  /** The chosen row by its key; `undefined`: the first one, whichever that is. */
  readonly selected: string | undefined;
}
