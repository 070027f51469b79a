//! Names as the lists spell them, and the codes that they mean.
#![allow(missing_docs)]

mod common;

use common::resolve;
use risk_list::{Precision, Target};

#[track_caller]
fn site(names: [&str; 3], text: &str, area: u32, rest: &str) {
    let expected = Target::Site {
        areas: vec![area],
        text: rest.to_owned(),
    };
    assert_eq!(resolve(names, text).target, expected, "{names:?} {text}");
}

#[track_caller]
fn whole(names: [&str; 3], text: &str, areas: &[u32]) {
    assert_eq!(
        resolve(names, text).target,
        Target::Whole(areas.to_vec()),
        "{names:?} {text}"
    );
}

#[test]
fn a_house_in_a_township_is_a_site_of_the_township() {
    let county = ["四川省", "成都市", "锦江区"];
    site(county, "成龙路街道锦蓉佳苑6栋", 510_104_035, "锦蓉佳苑6栋");
    site(
        county,
        "成都市锦江区成龙路街道办事处锦蓉佳苑 ６栋",
        510_104_035,
        "锦蓉佳苑6栋",
    );
}

#[test]
fn a_house_without_a_township_is_a_site_of_its_county() {
    let names = ["西藏自治区", "拉萨市", "城关区"];
    site(names, "藏东大酒店", 540_102_000, "藏东大酒店");
    assert_eq!(resolve(names, "藏东大酒店").precision, Precision::County);
}

#[test]
fn a_community_that_is_unique_in_its_county_gives_the_township() {
    site(
        ["西藏自治区", "拉萨市", "城关区"],
        "冲赛康社区果热多大院",
        540_102_002,
        "冲赛康社区果热多大院",
    );
}

#[test]
fn in_municipalities_the_township_stands_in_the_place_of_the_county() {
    let names = ["北京市", "朝阳区", "金盏（地区）乡"];
    site(names, "西村191号", 110_105_036, "西村191号");
    whole(
        names,
        "金盏（地区）乡（除高风险区外的其他地区）",
        &[110_105_036],
    );
    site(
        ["天津市", "天津市", "西青区"],
        "李七庄街程村学府花园小区1号楼",
        120_111_002,
        "程村学府花园小区1号楼",
    );
}

#[test]
fn cities_without_counties_are_counties() {
    site(
        ["广东省", "东莞市", "塘厦镇"],
        "大岭古街-永兴街围合区域",
        441_900_116,
        "大岭古街-永兴街围合区域",
    );
    site(
        ["海南省", "儋州市", "市辖区"],
        "那大镇雅拉农场",
        460_400_100,
        "雅拉农场",
    );
    whole(
        ["海南省", "儋州市", "市辖区"],
        "白马井镇全域（除高风险区外）",
        &[460_400_112],
    );
}

#[test]
fn zones_are_found_by_their_statistical_code_or_by_the_county_that_contains_them() {
    site(
        ["河北省", "石家庄市", "高新区"],
        "某某厂",
        130_171_000,
        "某某厂",
    );
    whole(
        ["河南省", "郑州市", "航空港区"],
        "航空港区除高风险区以外的其他区域",
        &[410_173_000],
    );
    site(
        ["陕西省", "渭南市", "经开区"],
        "某某厂",
        610_502_000,
        "经开区:某某厂",
    );
    // Never the whole county around it, and each county where there are several.
    let several = resolve(
        ["陕西省", "西安市", "浐灞生态区"],
        "浐灞生态区除高风险区以外地区",
    );
    assert_eq!(several.precision, Precision::County);
    assert_eq!(
        several.target,
        Target::Site {
            areas: vec![610_111_000, 610_112_000],
            text: "浐灞生态区".to_owned()
        }
    );
    // A house in a zone of several counties, without a township, is placed no finer than the city.
    let house = resolve(["陕西省", "西安市", "浐灞生态区"], "某某大酒店");
    assert_eq!(house.precision, Precision::City);
}

#[test]
fn a_zone_of_several_counties_is_not_a_township_of_one_of_them() {
    let several = resolve(
        ["江西省", "南昌市", "高新区"],
        "南昌市高新区除高风险区以外的其他区域",
    );
    let expected = Target::Site {
        areas: vec![360_111_000, 360_121_000],
        text: "高新区".to_owned(),
    };
    assert_eq!(several.target, expected);
    whole(
        ["福建省", "宁德市", "东侨开发区"],
        "东侨开发区辖区内除高风险区外的其他区域",
        &[350_902_500],
    );
}

#[test]
fn the_township_of_a_later_place_is_not_that_of_the_first() {
    site(
        ["天津市", "天津市", "静海区"],
        "台玻南路10号，静海镇瑞泰小区",
        120_118_000,
        "台玻南路10号,静海镇瑞泰小区",
    );
}

#[test]
fn renamed_and_merged_counties_are_found() {
    site(
        ["河南省", "洛阳市", "偃师市"],
        "某某大酒店",
        410_307_000,
        "某某大酒店",
    );
    site(
        ["西藏自治区", "林芝市", "米林县"],
        "某某大酒店",
        540_481_000,
        "某某大酒店",
    );
    site(
        ["浙江省", "杭州市", "下城区"],
        "某某大酒店",
        330_105_000,
        "下城区:某某大酒店",
    );
    // What was one county and is a part of another never stands for the whole of it.
    let merged = resolve(["浙江省", "杭州市", "下城区"], "下城区全域");
    assert!(matches!(merged.target, Target::Site { .. }));
}

#[test]
fn the_corps_is_read_by_division_and_regiment() {
    let corps = ["新疆生产建设兵团"; 3];
    site(
        corps,
        "第四师六十二团金桥社区平房区",
        654_004_506,
        "金桥社区平房区",
    );
    site(corps, "第四师师直社区", 659_008_000, "师直社区");
    whole(corps, "第八师144团", &[654_203_512]);
    whole(
        corps,
        "除已划分为中、高风险区域以外第八师石河子市其它区域",
        &[659_001_000],
    );
    assert_eq!(resolve(corps, "某处").precision, Precision::Province);
}

#[test]
fn lines_that_except_the_higher_risks_mean_the_whole() {
    let county = ["青海省", "海东市", "民和回族土族自治县"];
    for text in [
        "民和县除高风险区以外区域",
        "除高风险区以外的其他地区",
        "中高风险区以外的民和县其他所有区域",
        "海东市民和县其余地区",
        "全域（除中、高风险区外）",
    ] {
        whole(county, text, &[630_222_000]);
    }
    whole(county, "川口镇（高风险区除外）", &[630_222_100]);
    let korla = ["新疆维吾尔自治区", "巴音郭楞蒙古自治州", "库尔勒市"];
    whole(korla, "巴州库尔勒市高风险区以外的其他地区", &[652_801_000]);
    let luohu = ["广东省", "深圳市", "罗湖区"];
    whole(
        luohu,
        "深圳市罗湖区莲塘街道全域（除中、高风险区外）",
        &[440_303_008],
    );
}

#[test]
fn several_whole_townships_in_one_line_are_all_meant() {
    whole(
        ["广东省", "深圳市", "罗湖区"],
        "莲塘街道、东晓街道（除高风险区外）",
        &[440_303_008, 440_303_009],
    );
}

#[test]
fn an_exception_inside_a_house_makes_no_county_of_it() {
    let county = ["天津市", "天津市", "津南区"];
    for text in [
        "泓林园除高风险区以外区域",
        "中区",
        "外区",
        "（除高风险区外）3号楼",
        "",
    ] {
        let target = resolve(county, text).target;
        assert!(matches!(target, Target::Site { .. }), "{text}: {target:?}");
    }
}

#[test]
fn an_office_is_not_its_township_and_a_part_of_a_township_is_not_the_whole() {
    site(
        ["四川省", "阿坝藏族羌族自治州", "阿坝县"],
        "安斗乡政府",
        513_231_209,
        "政府",
    );
    site(
        ["海南省", "儋州市", "市辖区"],
        "三都区全域（除中风险区外）",
        460_400_499,
        "三都区全域",
    );
}

#[test]
fn a_street_of_the_same_name_is_no_township() {
    site(
        ["江苏省", "南京市", "建邺区"],
        "月安街18-1号",
        320_105_000,
        "月安街18-1号",
    );
}

#[test]
fn names_that_the_table_lacks_are_placed_nowhere() {
    let nowhere = resolve(["某某省", "某某市", "某某区"], "某某街道1号楼");
    assert_eq!(nowhere.precision, Precision::Nowhere);
    assert_eq!(nowhere.target, Target::Unknown);
    let city = resolve(["河北省", "石家庄市", "某某新区"], "某某楼");
    assert_eq!(city.precision, Precision::City);
}
