import { LabIcon } from '@jupyterlab/ui-components';

/** Three steps: one that leads to two. */
export const graphIcon = new LabIcon({
  name: 'jupyter-graph:graph',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <circle cx="5" cy="12" r="3.5"/>
    <circle cx="19" cy="5" r="3.5"/>
    <circle cx="19" cy="19" r="3.5"/>
    <path d="M7.6 10 15 5.8l1 1.8-7.4 4.2zM7.6 14 15 18.2l1-1.8-7.4-4.2z"/>
  </g>
</svg>`
});
