import React from 'react';
import type { INotebookNavigation } from '../state/notebookNavigation';

/**
 * The context that holds the navigation to notebooks and cells; null if there is none, and then links are shown as
 * plain text.
 */
export const Navigation = React.createContext<INotebookNavigation | null>(null);
