/** Imports the styles of what JupyterLab may show when it starts. The styles of all other views are in `views.js`. */
import './base.css';
import './counts.css';
import './receipts.css';
