import React from 'react';
import type { INotebookNavigation } from '../state/notebookNavigation';

/** Leads to notebooks and cells, for the components below; null if not provided. */
export const Navigation = React.createContext<INotebookNavigation | null>(null);
