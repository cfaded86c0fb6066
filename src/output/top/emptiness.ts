/** Why `vsb top` shows no rows, and what would change that. Pure. */
import type { TopRows } from './rows.ts';
import { placeOf, type TopState } from './state.ts';

/** The lines for it; `rows` is `undefined` before the first reading. */
export function emptinessOf(rows: TopRows | undefined, state: TopState): readonly string[] {
  if (rows === undefined) return ['Waiting for the first reading …'];
  const { view, scope } = placeOf(state);
  if (view === 'conversations' && !state.isLookingDeep)
    return [
      'Conversations are not looked at now.',
      '',
      'Enter begins: Open vSwitch then exports every flow, which costs it some CPU.',
      'Leaving this view ends it.',
    ];
  if (state.filters[view] !== '') return ['Nothing passes the filter. / changes it, Escape leaves it.'];
  switch (view) {
    case 'vms':
      return ['There is no NIC of a VM on this switch yet.'];
    case 'pairs':
      return scope.of === 'all'
        ? ['No bridge has counted a pair yet. `vsb show` says how each bridge can be seen.']
        : ['Nothing was counted between this VM and others yet.'];
    case 'conversations':
      return ['Waiting for the first conversations: the switch tells of them about once a second …'];
  }
}
