import React from 'react';
import type { INotebookNavigation } from '../state/notebookNavigation';

/** The context with the navigation to notebooks and cells; null if there is none, then links are plain text. */
export const Navigation = React.createContext<INotebookNavigation | null>(null);
