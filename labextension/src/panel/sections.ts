/** The panel's own sections; those of other plugins come through `IGovernancePanel.addSection`. */

import type { IPanelSection } from '../tokens';
import { budgetSection } from './sections/budget';
import { holdsSection } from './sections/holds';
import { notebooksSection } from './sections/notebooks';
import { sessionSection } from './sections/session';
import { trustSection } from './sections/trust';
import type { PanelSubject } from './subject';

/**
 * The sections of one panel, ordered by their ranks.
 *
 * @param subject - Which notebook the panel shows.
 */
export function panelSections(subject: PanelSubject): readonly IPanelSection[] {
  return [
    trustSection,
    budgetSection,
    holdsSection,
    sessionSection,
    notebooksSection(subject)
  ];
}
