/** A filter on what is watched: which rows of a view are shown. Pure. */
import { compileFilter } from '../filter/compile.ts';
import { PAIR_SOURCE, PORT_SOURCE, VM_SOURCE } from './filtersources.ts';
import type { View, ViewName } from './views.ts';

/**
 * Leaves out the rows that do not pass; a VM is shown with all of its NICs, or not at all. Views of another name pass as
 * they are. Fails with FILTER_INVALID where the text is no filter for views of that name.
 */
export function toViewFilter(name: ViewName, where: string): (view: View) => View {
  switch (name) {
    case 'ports': {
      const { matches } = compileFilter(where, PORT_SOURCE);
      return (view) => (view.view === name ? { ...view, ports: view.ports.filter(matches) } : view);
    }
    case 'vms': {
      const { matches } = compileFilter(where, VM_SOURCE);
      return (view) => (view.view === name ? { ...view, vms: view.vms.filter(matches) } : view);
    }
    case 'pairs': {
      const { matches } = compileFilter(where, PAIR_SOURCE);
      return (view) => (view.view === name ? { ...view, pairs: view.pairs.filter(matches) } : view);
    }
  }
}
