"""Names that are neither column names nor aliases: harmless ones, and those that mean a column."""

import time

import pytest

from rollbook.studentfile.reading.header import Header

HARMLESS = """
HOMEROOM, Home_Room, HOMEROOM_ID, PHONE, Home_Phone, phone, sms, NOTES, GENDER_IDENTITY, Pronouns,
STATE, STATE_CODE, TITLE, TITLE_III, Title II, GRADUATION_YEAR, Grad Yr, ClassOf, ENTRY_DATE,
EntryDate, ExitDate, EntryCode, MAIL, Email, Student_email, Secondary Email, STATUS_DATE,
Status Code, Teacher, Teacher Name, TeacherNumber2, Address_1, Street, Student_street, City, Zip,
Mailing_State, ELA, ELA Score, AGE, GPA, Unweighted_gpa, Weighted_gpa, Middle_name, Middle Name,
middleName, Nickname, Preferred_First_Name, preferredGivenName, preferredFamilyName, Suffix,
Last Name Alias, Home_language, LangFlu, Language, Hispanic_Latino, Frl_status, LunchStatus,
Lunch_Balance, Bus, BusRoute, Birth State, Birth Place, BIRTHPLACE, Country of Birth,
countryOfBirthCode, Family ID, FamilyID, Guardian ID, Parent ID, Counselor, Counselor Email,
Guardian First Name, Guardian_Last_Name, Parent Name, Contact_name, Contact_email, Contact_phone,
Contact_sis_id, Mother_First, Father_Email, Next_School, NextGrade, Next Year Grade, School Name,
School Year, SchoolYr, Calendar, calendarID, District, District ID, District Code, Section,
Section_504, Period, Course, Course Grade, Enrollment Date, Last Login, LastDate,
Last Modified, dateLastModified, enabledUser, userIds, agentSourcedIds, userMasterIdentifier,
resourceSourcedIds, Track, Trace, Place, Date, Rate, Grade Point, Rank, Score, Locker,
LockerNumber, Photo, SSN, Student Aid, Immigrant, Military, Homeless, asian, white,
americanIndianOrAlaskaNative, demographicRaceTwoOrMoreRaces, Race2, RaceCode1, Ethnicity Date,
Staff Name, Group Code, Advisor, Unnamed: 0, #, No., Number, Name, Full Name, Student Name,
LastFirst, Alert_Medical, Medical, Residence, Grade Change, Reason, PARENT_EMAIL_3,
ADDITIONAL_INFO_4, Parent Phone 1, Network_ID, Sched_YearOfGraduation, Network Password,
AllowWebAccess, Balance1, LunchPIN, Lunch ID, Teacher Phone, orgName, Building, Campus, Team, House
"""
HARMLESS_NAMES = [name.strip() for name in HARMLESS.replace("\n", " ").split(",")]

KEYS = """
ID, Id, Local ID, LocalID, Perm ID, PermID, Permanent ID, State ID, StateID, Student_Num,
Student Num, Student Number, studentNumber, Student_Number, Student No., Student #, Student Nbr,
Pupil No, Pupil Number, PupilID, Other ID, Other_ID, SIS_ID, SIS ID, SISID, SIS Number, STU_ID,
StuID, Stud ID, ID Number, ID No, IDNUM, Student ID Number, Student_ID_No, Student IDs, Identifier,
Student Identifier, Student Code, Student GUID, Learner ID, Child ID, External ID, Unique ID,
sourcedId, student.stateID, student.studentNumber, student.personID, Students.Student_Number,
State_StudentNumber, STATE STUDENT ID, Student State ID, Student Local ID, Local Student ID,
Genesis ID, memberId,
District Student ID, SSID, SASID, LASID, DCID, Name ID, Person ID, PowerSchool ID, Skyward ID,
Aeries ID, Clever ID, Admission No, UPN, Studnet_ID, Stduent ID, STUDNT_ID, Studen ID, StudentsID,
[Local ID], local-id, "State ID"
"""
KEY_NAMES = [name.strip() for name in KEYS.replace("\n", " ").split(",")]

RENAMED = {
    "GRADE": "GRAD, GRDAE, GARDE, Gradde, Grad Level, Grade Lvl, Grade_Levl, Current Grade",
    "SCHOOL_ID": "Scool_ID, Schol ID, Shool_ID, School #, School No, Building ID, Org ID",
    "FIRST_NAME": "Frist_Name, First Nmae, FirstNam, Fisrt_Nmae, fname, First, Forename",
    "LAST_NAME": "Lats_Name, LastNmae, Last_Nam, Lname, Last, Student Last, Surnme",
    "DOB": "Birthday, Birth_Dat, Birtdate, Date_of_Brith, DateOfBith, Dates of Birth",
    "GENDER": "Gendr, Gneder, Gendre, Genders",
    "STATUS": "Staus, Stauts, Statuss",
    "USERNAME": "Usernam, Usrename, User Nmae, UserNames",
    "PASSWORD": "Passwrod, Pasword, Passwords",
    "SPECIAL_ED": "Speical_Ed, Specal Ed, SpecialEdd",
    "MIGRANT": "Migrnt, Migrants",
    "RACE": "Rcae, Raace, Ethnicty",
    "GROUPS": "Gruops, Grouops",
    "STAFF": "Stafff, Satff",
    "CLASSIFICATIONS": "Clasifications, Classification, Classifcation",
    "PARENT_EMAIL_1": "Parent_Emial_1, Parents_Email_1, ParentEmial1, Parrent Email 1",
    "ADDITIONAL_INFO_2": "Aditional_Info_2, Additional_Inof_2",
    "MIDDLE_INITIAL": "Middle_Intial, MiddelInitial",
    "TITLE_1": "Titel_1, Tilte 1",
}
RENAMED_NAMES = [
    (name.strip(), column) for column, names in RENAMED.items() for name in names.split(",")
]


def codes(*names: str) -> set[str]:
    return {problem.code for problem in Header.parse(names)[1]}


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_a_harmless_column_is_only_a_warning(name: str) -> None:
    for others in (["STUDENT_ID"], ["FIRST_NAME", "LAST_NAME", "DOB"], ["USERNAME"]):
        header, problems = Header.parse([*others, name])
        assert [problem.code for problem in problems] == ["unknown_column"]
        assert header.ignored == (name,)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_column_of_ids_with_another_name_refuses_the_file(name: str) -> None:
    for others in (["FIRST_NAME", "LAST_NAME", "DOB"], ["USERNAME", "GRADE"]):
        _, problems = Header.parse([name, *others])
        assert problems[0].code == "key_column_renamed"
        assert problems[0].hint == f"rename {name} to STUDENT_ID"
    assert codes(name, "STUDENT_ID", "GRADE") == {"unknown_column"}


@pytest.mark.parametrize(("name", "column"), RENAMED_NAMES)
def test_a_misspelled_column_refuses_the_file_unless_it_is_there(name: str, column: str) -> None:
    _, problems = Header.parse(["STUDENT_ID", name])
    assert (problems[0].code, problems[0].column) == ("column_renamed", column)
    assert problems[0].hint.startswith(f"rename {name} to {column}; ")
    assert codes("STUDENT_ID", name, column) == {"unknown_column"}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Stu First Name", "FIRST_NAME"),
        ("STUDENTS.Last_Name", "LAST_NAME"),
        ("student.birthdate", "DOB"),
        ("student.dateOfBirth", "DOB"),
        ("Student Grade Level", "GRADE"),
        ("Race/Ethnicity", "RACE"),
        ("First Name*", "FIRST_NAME"),
        ("GRADE_LEVEL", "GRADE"),
        ("PARENT_EMAIL", "PARENT_EMAIL_1"),
        ("Title I", "TITLE_1"),
        ("LEP", "ELL"),
        ("SPED", "SPECIAL_ED"),
    ],
)
def test_what_has_one_meaning_is_read(name: str, column: str) -> None:
    assert column in Header.parse(["STUDENT_ID", name])[0].known


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("EL Status", "ELL"),
        ("SPED Status", "SPECIAL_ED"),
        ("Login ID", "USERNAME"),
        ("Enroll_Status", "STATUS"),
        ("Guardian Email", "PARENT_EMAIL_1"),
        ("School", "SCHOOL_ID"),
    ],
)
def test_a_possible_meaning_is_suggested(name: str, column: str) -> None:
    _, problems = Header.parse(["STUDENT_ID", "GENDER", name])
    assert [(problem.code, problem.hint) for problem in problems] == [
        ("unknown_column", f"if you mean {column}, rename it")
    ]


def test_a_possible_meaning_refuses_a_file_of_which_only_the_key_is_read() -> None:
    assert "column_renamed" in codes("STUDENT_ID", "School")
    assert "column_renamed" not in codes("STUDENT_ID", "School", "GRADE")


EXCHANGE_FILES = [
    "SIS ID,School SIS ID,Username,Grade",
    "SIS ID,School SIS ID,First Name,Last Name,Student Number,Birthdate",
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,"
    "familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,"
    "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,"
    "resourceSourcedIds,preferredGivenName,preferredMiddleName,preferredFamilyName,"
    "primaryOrgSourcedId,pronouns",
    "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,white",
    "sourcedId,orgSourcedIds,username,givenName,familyName,password,activeDirectoryMatchId,email",
    "School_id,Student_id,Student_number,State_id,Last_name,Middle_name,First_name,Grade,Gender,"
    "Graduation_year,DOB,Race,Hispanic_Latino,Home_language,Ell_status,Frl_status,IEP_status,"
    "Student_street,Student_city,Student_state,Student_zip,Student_email,Contact_relationship,"
    "Contact_type,Contact_name,Contact_phone,Contact_phone_type,Contact_email,Contact_sis_id,"
    "Username,Password,Unweighted_gpa,Weighted_gpa",
    "StudentID,SchoolCode,LastName,FirstName,MiddleName,Sex,Grade,Birthdate,EthnicityCode",
]


@pytest.mark.parametrize("header", EXCHANGE_FILES)
def test_an_exchange_file_is_read_without_renaming(header: str) -> None:
    names = header.split(",")
    assert codes(*names) <= {"unknown_column", "folded_header"}
    parsed = Header.parse(names)[0]
    assert "STUDENT_ID" in parsed.known
    assert len(parsed.known) + len(parsed.ignored) == len(names)


@pytest.mark.parametrize(
    "header",
    [
        "SIS ID,FIRST_NAME,LAST_NAME,DOB,GRADE",
        "SIS ID,School SIS ID,Username",
        "sourcedId,FIRST_NAME,LAST_NAME,DOB,GRADE",
        "Student_Number,First_Name,Last_Name,DOB,Gender,Grade_Level,SchoolID",
        "student.studentNumber,student.lastName,student.firstName,student.birthdate",
    ],
)
def test_elsewhere_the_key_of_an_exchange_file_is_ambiguous(header: str) -> None:
    assert "key_column_renamed" in codes(*header.split(","))


def test_64_long_names_are_compared_quickly() -> None:
    names = ["STUDENT_ID", *(f"additional information {n} " + "x" * 500 for n in range(63))]
    started = time.process_time()
    Header.parse(names)
    assert time.process_time() - started < 1
