'use strict';
'require view';
'require remsim.page as page';
'require remsim.loader';
'require remsim.manifest';
'require remsim.service';

return view.extend(page.showing('links', ['modems', 'links'], { first: ['links'] }));
