/** Imports the styles of the views that are loaded after JupyterLab's start; `src/views.ts` imports this file. */
import './panel.css';
import './pieces.css';
import './start.css';
import './trust.css';
import './budget.css';
import './holds.css';
import './gateway.css';
import './notebooks.css';
import './cells.css';
import './waiting.css';
import './decisions.css';
import './auditBrief.css';
import './audit.css';
import './auditFilters.css';
import './auditDetail.css';
import './charts.css';
