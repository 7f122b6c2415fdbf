/** The sections that the panel has itself; other plugins add theirs with `IGovernancePanel.addSections`. */

import type { IPanelSection } from '../tokens';
import { budgetSection } from './sections/budget';
import { holdsSection } from './sections/holds';
import { notebooksSection } from './sections/notebooks';
import { sessionSection } from './sections/session';
import { trustSection } from './sections/trust';
import type { PanelSubject } from './subject';

/**
 * Return the sections of one panel.
 *
 * @param subject - The notebook that the panel shows; a button in the list of all notebooks selects another one.
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
