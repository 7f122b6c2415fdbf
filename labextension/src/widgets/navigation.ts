import React from 'react';
import type { INotebookNavigation } from '../state/notebookNavigation';

/** Leads to notebooks and cells from wherever it is given; null where it is not. */
export const Navigation = React.createContext<INotebookNavigation | null>(null);
