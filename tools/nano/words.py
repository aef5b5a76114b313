"""The word list that half of the printed words are drawn from (the rest are random strings)."""

WORDS = """
able acid also apex army aunt auto away baby back bake bank bark barn base bath beam bear beef bell belt bend best
bike bird bite boat body bold bone book boot born boss both bowl brave bread brick bride bring broad brush build
bunch bus cake calm camp card care cart cash cast cave chain chair chalk charm check chess chief child clay clean
clerk climb clock cloth cloud club coach coal coast coat code coin cold comb cook cool copy corn cost couch cow
craft crew crop crowd cup curve dance dark data date dawn deal dear deep deer desk dish dock dog doll door draft
drama dream dress drink drive drum duck dust duty each eagle early earth east easy edge elbow empty enjoy equal
event exit extra fair faith farm fast feast fence ferry field film final find fire firm fish five flag flame flat
fleet flock flow foam focus fold food foot force fork form fort found fox frame fresh frog front frost fruit fuel
fund gain game gate gift girl give glad glass globe goal goat gold golf grain grand grape grass guard guess guest
guide half hall hand happy harp hat hawk heavy herb hero hill hint home honey hope horse hotel house human ice
idea inch iron item ivory jazz jet join joke judge juice jump just keen keep kept key kick kind king kite knee
knife lake lamp land lane last late lawn lead leaf learn lemon light limb lime line lion list load loaf lock long
loud love luck lunch magic maid mail main map march mark mask match maze meal melon metal mild milk mill mind mint
model money month moon moth mouse movie mud mule music myth nail name nest news nice night noble noise north nose
note novel nurse oak oasis ocean olive onion open opera order oven owl pack page paint pair palm panel paper park
path peace pearl pen phone piano pilot pine pizza place plan plant plate play plum poem point pond pony pool port
post power press price pride prize proof pulse pump queen quest quick quiet quiz quote radio rail rain ranch rapid
reach rice ride ring river road robot rock roof room rope rose round royal rule safe sail salad salt sand save
scale school score sea seat seed sharp shelf ship shirt shoe shop shore silk silver sing sink skate skill sky
sleep slice slow smile smoke snow soap sock soft soil solar song soup south space spark speed spice spoon sport
spring stage stamp steam steel step stick stone storm story stove straw style sugar sun surf swan sweet swim sword
table talk tango tape taxi team tent tiger time toast tool torch tower town toy track trade train tree trip truck
trust tulip tune twin uncle union unit urban usage valid value vase verb video view villa vivid voice vote voyage
wagon wait walk wall warm wash watch water wave wax weed west whale wheat wheel wild wind wine wing winter wolf
wood wool work world yard year yoga youth zebra zero zinc zone zoom
""".split()
