//! Dynamic variables (`{{$guid}}`): what a scenario writes for them.

/// The expression for a dynamic variable, by its name with the `$`; `None` if there is no equivalent.
pub(super) fn expression(name: &str) -> Option<&'static str> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, expression)| *expression)
}

/// Whether the name is that of a dynamic variable, known here or not. Others are sent as they are written.
pub(super) fn is_dynamic(name: &str) -> bool {
    name.starts_with("$random") || expression(name).is_some()
}

/// What is sent for one that has no equivalent.
pub(super) const ANY_TEXT: &str = "${text(8)}";

const FIRST_NAMES: &str = "${choice(Ada,Ben,Carla,David,Emma,Felix,Grace,Hugo)}";
const LAST_NAMES: &str = "${choice(Adams,Baker,Clark,Davis,Evans,Foster,Gray,Hughes)}";
const WORDS: &str = "${choice(amber,bridge,copper,delta,engine,forest,garden,harbor)}";

const TABLE: [(&str, &str); 31] = [
    ("$guid", "${uuid}"),
    ("$timestamp", "${now(%s)}"),
    ("$isoTimestamp", "${now(%FT%T.%LZ)}"),
    ("$randomUUID", "${uuid}"),
    ("$randomInt", "${random(0,1000)}"),
    ("$randomBoolean", "${choice(true,false)}"),
    ("$randomAlphaNumeric", "${hex(1)}"),
    ("$randomHexColor", "#${hex(6)}"),
    ("$randomHexaDecimal", "${hex(1)}"),
    ("$randomPassword", "${text(15)}"),
    ("$randomIP", "${random(1,254)}.${random(0,255)}.${random(0,255)}.${random(1,254)}"),
    ("$randomEmail", "${text(10)}@example.com"),
    ("$randomExampleEmail", "${text(10)}@example.com"),
    ("$randomUserName", "${text(10)}"),
    ("$randomFirstName", FIRST_NAMES),
    ("$randomLastName", LAST_NAMES),
    (
        "$randomFullName",
        "${choice(Ada,Ben,Carla,David,Emma,Felix,Grace,Hugo)} ${choice(Adams,Baker,Clark,Davis,Evans,Foster)}",
    ),
    ("$randomPhoneNumber", "${random(200,999)}-${random(200,999)}-${random(1000,9999)}"),
    ("$randomCity", "${choice(Aachen,Bern,Cork,Delft,Essen,Faro,Graz,Haifa)}"),
    ("$randomCountry", "${choice(Austria,Brazil,Canada,Denmark,Estonia,France,Ghana,Hungary)}"),
    ("$randomCountryCode", "${choice(AT,BR,CA,DK,EE,FR,GH,HU)}"),
    ("$randomStreetName", "${choice(Ash Street,Birch Road,Cedar Lane,Elm Way)}"),
    ("$randomStreetAddress", "${random(1,999)} ${choice(Ash Street,Birch Road,Cedar Lane,Elm Way)}"),
    ("$randomColor", "${choice(red,green,blue,yellow,white,black)}"),
    ("$randomPrice", "${random(0,999)}.${random(10,99)}"),
    ("$randomDomainName", "${text(10)}.example.com"),
    ("$randomUrl", "http://${text(10)}.example.com"),
    ("$randomWord", WORDS),
    ("$randomWords", "${choice(amber,bridge,copper,delta)} ${choice(engine,forest,garden,harbor)}"),
    ("$randomLoremWord", WORDS),
    ("$randomProduct", "${choice(Chair,Table,Lamp,Shirt,Ball,Soap)}"),
];
