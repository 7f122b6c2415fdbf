import React from 'react';
import { Notation } from '../words/notation';

/** How the components below write dates and counts; as the browser does if not provided. */
export const NotationContext = React.createContext(new Notation());

/** How this component writes dates and counts. */
export function useNotation(): Notation {
  return React.useContext(NotationContext);
}
