'use strict';
'require view';
'require remsim.page as page';
'require remsim.loader';
'require remsim.manifest';
'require remsim.service';

return view.extend(page.showing('dashboard', ['dashboard'], {
	charts: true,
	first: ['layouts/mine'],
	lazy: ['widget-cards', 'widget-chart', 'widget-timelines', 'widget-events']
}));
