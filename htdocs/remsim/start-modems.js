/** The Modems page of the service itself: same origin, the browser's cookie. */

import { createRequest } from './api.js';
import { mount } from './modems.js';

const api = new URL('../../api/v1', import.meta.url).pathname;

mount(document.getElementById('modems'), {
	request: createRequest(api),
	streamUrl: async lastId => `${api}/stream?last_event_id=${lastId}`,
	title: 'Modems',
	login: 'run “remsim link” on the router and open the link it prints',
	links: { dashboard: new URL('../../', import.meta.url).pathname }
});
